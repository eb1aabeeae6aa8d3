"""Several processes make the same database as one, and none outlives its parent."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from ondevice_db.ingest import workers
from ondevice_db.ingest.ingest import index_paths


def test_processes_do_not_change_the_database(music_folder: Path, tmp_path: Path) -> None:
    for jobs in (1, 3):
        index_paths(sorted(music_folder.iterdir()), tmp_path / f"{jobs}.npdb", Fingerprinter.from_model(), jobs=jobs)
    one, three = ({path.name: path.read_bytes() for path in (tmp_path / f"{jobs}.npdb").iterdir()} for jobs in (1, 3))
    assert one == three


def test_a_worker_ends_with_its_parent() -> None:
    """A worker starts a thread that waits for its parent's end, and ignores Ctrl-C."""
    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    outer = context.Process(target=_outer, args=(child,))
    outer.start()
    child.close()
    inner_pid = parent.recv()
    os.kill(outer.pid, 9)  # type: ignore[arg-type]
    outer.join()
    assert parent.poll(30)
    with pytest.raises(EOFError):
        parent.recv()  # the grandchild held the other end; it is gone
    assert inner_pid != outer.pid


def _outer(connection: object) -> None:
    inner = multiprocessing.get_context("fork").Process(target=_inner, args=(connection,))
    inner.start()
    inner.join()


def _inner(connection: object) -> None:
    workers._start(builtin_model_dir(SHIPPED_FINGERPRINTER))
    connection.send(os.getpid())  # type: ignore[attr-defined]
    time.sleep(60)
