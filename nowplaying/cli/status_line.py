"""One line on a terminal that says what is being done; results, remarks and errors take its place."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nowplaying_core.text import printable

__all__ = ["erase", "status_line"]

_EVERY_S = 0.1
_is_shown = False


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
        global _is_shown  # noqa: PLW0603 (the terminal is one for the whole process)
        if not is_wanted or not sys.stderr.isatty():
            return
        if not text:
            erase()
        elif not _is_shown or time.monotonic() - last_s >= _EVERY_S:
            last_s = time.monotonic()
            erase()
            visible = "".join(letter if letter.isprintable() else "?" for letter in printable(text))
            sys.stderr.write(visible[: shutil.get_terminal_size().columns - 1])
            sys.stderr.flush()
            _is_shown = True

    try:
        yield show
    finally:
        erase()


def erase() -> None:
    """Make the line empty, before something else is written there."""
    global _is_shown  # noqa: PLW0603
    if _is_shown:
        _is_shown = False
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
