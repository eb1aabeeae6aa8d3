"""The writer's lock is held or refused, whoever else takes and gives it back meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nowplaying_core.errors import DatabaseError
from ondevice_db.format.lock import writer_lock


def test_writers_that_come_and_go_meet_no_other_error(tmp_path: Path) -> None:
    """A name may be removed between two looks at it: four writers at once meet that every few hundred times."""

    def write(n: int) -> int:
        n_held = 0
        for _ in range(n):
            try:
                with writer_lock(tmp_path / "a.npdb"):
                    n_held += 1
            except DatabaseError:
                continue
        return n_held

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, [1000] * 4)) > 0
    assert list(tmp_path.iterdir()) == []
