"""The process's stderr comes back, however blocks overlap and whoever opens them."""

import gc
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from nowplaying_core.audio.quiet import QuietStderr
from nowplaying_core.stderr import native_stderr_to


def test_blocks_that_overlap_give_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    first, second = QuietStderr(), QuietStderr()
    with ExitStack() as ends_last, tempfile.TemporaryFile() as other:
        with ExitStack() as ends_first:
            ends_first.enter_context(first.block())
            ends_last.enter_context(second.block())
            ends_last.enter_context(native_stderr_to(other.fileno()))
        first.close()
        os.write(2, b"note of a library")
    second.close()
    os.write(2, b"own words")
    assert capfd.readouterr().err == "own words"


def test_threads_that_overlap_give_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    meet = threading.Barrier(4)

    def work() -> None:
        for _ in range(200):
            meet.wait()
            with Path(os.devnull).open("wb") as null, native_stderr_to(null.fileno()):
                os.write(2, b"note of a library")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"own words")
    assert capfd.readouterr().err == "own words"


def test_no_descriptor_is_left_open() -> None:
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Path(os.devnull).open("wb") as null:
        for _ in range(5):
            with native_stderr_to(null.fileno()), native_stderr_to(null.fileno()):
                pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_closed_stderr_stays_closed() -> None:
    script = """
import os
from nowplaying_core.stderr import native_stderr_to
null = os.open(os.devnull, os.O_WRONLY)
os.close(2)
for _ in range(2):
    with native_stderr_to(null), native_stderr_to(null):
        pass
try:
    os.fstat(2)
except OSError:
    print("closed")
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "closed\n"
