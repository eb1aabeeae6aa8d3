import os

from nowplaying_core.processes import share_out


def _ten() -> int:
    return 10


def _add(state: int, item: int) -> int:
    return state + item


def _process(_state: int, _item: int) -> int:
    return os.getpid()


def test_work_is_shared_in_order() -> None:
    for jobs in (1, 2):
        assert share_out(_add, [1, 2, 3], _ten, jobs=jobs) == [11, 12, 13]


def test_one_job_stays_in_this_process() -> None:
    assert set(share_out(_process, [1, 2], _ten, jobs=1)) == {os.getpid()}
    assert os.getpid() not in share_out(_process, [1, 2], _ten, jobs=2)
