import os

from evaluation.experiments.lab import in_own_processes


def test_each_run_has_a_process_of_its_own_and_the_order_stays() -> None:
    assert in_own_processes(abs, [(-3,), (-1,), (2,)], jobs=2) == [3, 1, 2]
    own = in_own_processes(os.getpid, [(), (), ()])
    assert len({os.getpid(), *own}) == 4
