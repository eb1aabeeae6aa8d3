"""What logs and C libraries write to stderr, and how much of it: less with --quiet, more with -v and -vv."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nowplaying.cli.output import to_stderr
from nowplaying.cli.status_line import remember

__all__ = ["PACKAGES", "libraries_silenced", "set_verbosity"]

PACKAGES = (
    "detector",
    "evaluation",
    "export",
    "fingerprinter",
    "nowplaying",
    "nowplaying_core",
    "ondevice_db",
    "pretraining",
    "simulator",
)
"""Packages whose remarks (level INFO) are meant for the person at the terminal."""

_loud_again: list[Callable[[], object]] = []  # gives C libraries their error stream back


class _StderrHandler(logging.Handler):
    """Write remarks as plain lines, and warnings and other libraries' records with their level and logger."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 (another library's record that does not fit its text)
            text = f"{record.msg} ({type(error).__name__}: {error})"
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                text += "\n" + logging.Formatter().formatException(record.exc_info)
        if record.levelno != logging.INFO or record.name.partition(".")[0] not in PACKAGES:
            text = f"{record.levelname.lower()}: {record.name}: {text}"
        elif text:
            remember(text.splitlines()[0])
        to_stderr(text)


def set_verbosity(*, verbose: int, quiet: bool) -> None:
    """Send all logs to stderr: our remarks and everybody's warnings, more with -v and -vv, errors only with --quiet."""
    if verbose and _loud_again:
        _loud_again.pop()()
    others = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    ours = logging.ERROR if quiet else (logging.INFO, logging.DEBUG, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=others, handlers=[_StderrHandler()], force=True)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(ours)


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Keep what C libraries write to the error stream (decoders, TensorFlow, sound drivers) off it, unless -v.

    Python's own ``sys.stderr`` goes on to where it went.
    """
    try:
        kept = os.dup(2)
        stream = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    except OSError:  # no error stream at all
        yield
        return
    before, sys.stderr = sys.stderr, stream
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    _loud_again[:] = [lambda: os.dup2(kept, 2)]
    try:
        yield
    finally:
        _loud_again.clear()
        os.dup2(kept, 2)
        os.close(kept)
        sys.stderr = before
        with suppress(OSError):  # its reader may have left
            stream.close()
