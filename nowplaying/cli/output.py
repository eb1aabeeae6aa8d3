"""What goes where: results on stdout, everything else on stderr, progress only on a terminal."""

import json
import logging
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["clock", "emit_json", "fail", "note", "progress_bar", "say", "set_verbosity", "table", "visible"]

_quiet = False
# Titles come from files and databases of other people: nothing in them may steer a terminal.
_VISIBLE = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def set_verbosity(*, verbose: int, quiet: bool) -> None:
    """Send the libraries' log to stderr: warnings, or info (-v) or debug (-vv) too, or errors only (--quiet)."""
    global _quiet  # noqa: PLW0603 - one process, one command line
    _quiet = quiet
    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)


def visible(text: str) -> str:
    """Return a text whose control characters stand in JSON's notation, except for line ends and tabs."""
    return text.translate(_VISIBLE)


def say(text: str) -> None:
    """Print a line of the result; control characters come out in JSON's notation."""
    sys.stdout.write(f"{visible(text)}\n")
    sys.stdout.flush()  # whoever reads a pipe from a live loop wants the song now


def note(text: str) -> None:
    """Print a remark on stderr, unless --quiet."""
    if not _quiet:
        sys.stderr.write(f"{visible(text)}\n")
        sys.stderr.flush()


def fail(error: BaseException | str) -> None:
    """Print an error on stderr, in one paragraph and without a traceback."""
    sys.stderr.write(f"error: {visible(str(error))}\n")
    sys.stderr.flush()


def emit_json(schema: str, record: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, with its schema first.

    Parameters
    ----------
    schema : str
        Such as ``"recognition/1"``; the version rises when a field changes its meaning or goes.
    record : mapping
        NumPy numbers are allowed; NaN and infinity become null, because JSON has neither.
    """
    text = json.dumps({"schema": f"nowplaying/{schema}", **_plain(record)}, ensure_ascii=False, allow_nan=False)
    say(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "tolist"):  # NumPy arrays and scalars, without importing NumPy
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, such as ``"1:02.5"``; negative times keep their sign."""
    tenths = round(abs(seconds) * 10)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{tenths // 600}:{tenths % 600 / 10:04.1f}"


def table(headings: list[str], rows: list[list[str]]) -> None:
    """Print a table on stdout: plain columns that a terminal's width never cuts."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def progress_bar(description: str, total: float | None = None) -> Iterator["Advance"]:
    """Show progress with rate and remaining time on stderr while a block runs; nothing where it is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=_quiet or not console.is_terminal, transient=True) as progress:
        yield Advance(progress, description, total)


class Advance:
    """Moves one progress bar."""

    def __init__(self, progress: "Progress", description: str, total: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total, rate="")

    def __call__(self, done: float, total: float | None = None, rate: str = "") -> None:
        """Set how much is done, and of how much."""
        self._progress.update(self._task, completed=done, total=total, rate=rate)
