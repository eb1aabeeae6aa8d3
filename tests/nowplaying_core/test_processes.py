import os

from nowplaying_core.processes import every_tenth, share_out


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


def test_progress_is_reported_about_ten_times() -> None:
    lines: list[str] = []
    progress = every_tenth(lines.append, "streams")
    for n_done in range(1, 26):
        progress(n_done, 25)
    assert lines == [f"{n_done} of 25 streams" for n_done in range(2, 26, 2)]
    progress(1, 3)
    assert lines[-1] == "1 of 3 streams"
