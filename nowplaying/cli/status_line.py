"""One line on a terminal that says what is being done, and for how long; results, remarks and errors take its place."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nowplaying_core.text import clock, printable

__all__ = ["erase", "moving", "pulse", "remember", "status_line"]

_EVERY_S = 0.1
_QUIET_S = 2.0
"""Without a word on the terminal for so long, the line says what is being done and for how long."""


class _Line:
    """The line of this process: what it shows, and what is being done."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.is_shown = False
        self.n_moving = 0  # displays that draw themselves, which nothing may be written into
        self.doing = ""
        self.began_s = self.written_s = time.monotonic()

    def write(self, text: str) -> None:
        self.erase()
        visible = "".join(letter if letter.isprintable() else "?" for letter in printable(text))
        sys.stderr.write(visible[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()
        self.is_shown = True

    def erase(self) -> None:
        if self.is_shown:
            self.is_shown = False
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def begin(self, doing: str) -> None:
        if doing != self.doing:
            self.doing, self.began_s = doing, time.monotonic()


_line = _Line()


@contextmanager
def status_line(*, is_wanted: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows a text on the line; an empty text erases it.

    Parameters
    ----------
    is_wanted : bool
        Otherwise, and where stderr is no terminal, nothing is shown.
    """
    last_s = -_EVERY_S

    def show(text: str) -> None:
        nonlocal last_s
        if not is_wanted or not sys.stderr.isatty():
            return
        if not text:
            erase()
            return
        with _line.lock:
            _line.begin(text)
            if not _line.is_shown or time.monotonic() - last_s >= _EVERY_S:
                last_s = _line.written_s = time.monotonic()
                _line.write(text)

    try:
        yield show
    finally:
        erase()


@contextmanager
def pulse(doing: str, *, is_wanted: bool) -> Iterator[None]:
    """While a block runs, never leave a terminal without a word for long.

    Parameters
    ----------
    doing : str
        What is done where no remark and no `status_line` says more.
    is_wanted : bool
        Otherwise, and where stderr is no terminal, nothing is shown.
    """
    if not is_wanted or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    remember(doing)
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=[ended], daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        erase()


@contextmanager
def moving() -> Iterator[None]:
    """Leave the terminal to a display that draws itself, or to a question."""
    erase()
    with _line.lock:
        _line.n_moving += 1
    try:
        yield
    finally:
        with _line.lock:
            _line.n_moving -= 1
            _line.written_s = time.monotonic()


def remember(text: str) -> None:
    """Take a remark for what is being done from now on."""
    with _line.lock:
        _line.begin(text)


def erase() -> None:
    """Make the line empty, before something else is written there."""
    with _line.lock:
        _line.erase()
        _line.written_s = time.monotonic()


def _beat(ended: threading.Event) -> None:
    while not ended.wait(min(0.5, _QUIET_S / 2)):
        with _line.lock:
            now_s = time.monotonic()
            if not _line.n_moving and now_s - _line.written_s >= _QUIET_S:
                _line.write(f"{_line.doing}, {clock(now_s - _line.began_s).partition('.')[0]}")
