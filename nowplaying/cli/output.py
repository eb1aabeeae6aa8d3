"""What goes where: results on stdout, everything else on stderr, progress only on a terminal."""

import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NoReturn

from nowplaying.cli.status_line import erase, moving, pulse, status_line
from nowplaying_core.errors import EXIT_FOUND
from nowplaying_core.text import plain, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "doing",
    "emit_json",
    "fail",
    "note",
    "paragraph",
    "progress_bar",
    "result_console",
    "say",
    "say_lines",
    "table",
    "to_stderr",
    "typed_command",
    "visible",
    "working",
    "wrote",
]

_log = logging.getLogger(__name__)
# Titles come from files and databases of other people: nothing in them may steer a terminal.
# Marks that turn the direction of writing, and separators that some terminals break lines at.
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_VISIBLE = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), *_DIRECTIONS)}
_WIDEST_COLUMN = 50
_WIDEST_PROSE = 80


def typed_command() -> str:
    """Return the command as it was typed, for the provenance of figures."""
    return shlex.join(["nowplaying", *sys.argv[1:]])


def visible(text: str) -> str:
    """Return a line whose control characters and marks of direction stand in JSON's notation."""
    return printable(text).translate(_VISIBLE)


def say(text: str) -> None:
    """Print a line of the result; control characters come out in JSON's notation."""
    erase()
    try:
        sys.stdout.write(f"{visible(text)}\n")
        sys.stdout.flush()  # whoever reads a pipe from a live loop wants the song now
    except BrokenPipeError:
        _leave()


def _leave() -> NoReturn:
    """End, for the reader has what it wanted, as `head` has; Python must not write the rest when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(EXIT_FOUND) from None


def result_console(*, quiet: bool = False) -> "Console":
    """Return Rich's console for results, which ends as `say` does where its reader leaves."""
    from rich.console import Console

    class ResultConsole(Console):
        def on_broken_pipe(self) -> None:
            _leave()

    return ResultConsole(quiet=quiet)


def say_lines(text: str) -> None:
    """Print a text of several lines, such as a report in Markdown."""
    for line in text.rstrip("\n").split("\n"):
        say(line)


def paragraph(text: str, *, indent: int = 0) -> None:
    """Print a sentence of the result: one line in a pipe, wrapped between words to a terminal of 80 columns or fewer.

    Parameters
    ----------
    text : str
    indent : int >= 0
        Of the lines that follow the first.
    """
    width = min(_WIDEST_PROSE, shutil.get_terminal_size().columns)
    wrapped = wrap(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    for line in wrapped if sys.stdout.isatty() else [text]:
        say(line)


def wrote(path: Path | str, text: str = "", *, as_json: bool, **facts: Any) -> None:
    """Print where a command's result lies, with what else is known about it; ``text`` says the same to people."""
    if as_json:
        emit_json("written/1", {"path": str(path), **facts})
    else:
        say(text or str(path))


def note(text: str) -> None:
    """Print a remark on stderr, unless --quiet."""
    _log.info("%s", text)


def fail(error: BaseException | str) -> None:
    """Print an error on stderr, in one paragraph and without a traceback."""
    to_stderr(f"error: {error}")


def doing() -> AbstractContextManager[Callable[[str], None]]:
    """Give a function that shows what is being done, on a line that the next result replaces; nothing with --quiet."""
    return status_line(is_wanted=_log.isEnabledFor(logging.INFO))


def working(command: str) -> AbstractContextManager[None]:
    """While a command runs, show on a terminal what it does after two seconds without a word; nothing with --quiet."""
    return pulse(command, is_wanted=_log.isEnabledFor(logging.INFO))


def to_stderr(text: str) -> None:
    """Print lines on stderr, as far as there is one."""
    if sys.stderr is None:  # closed by whoever started us
        return
    try:
        erase()
        for line in text.splitlines() or [""]:
            sys.stderr.write(f"{visible(line)}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        raise
    except OSError:  # a full disk behind a redirection: the results do not depend on it
        return


def emit_json(schema: str, record: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, with its schema first.

    Parameters
    ----------
    schema : str
        Such as ``"recognition/1"``; the version rises when a field changes its meaning or goes.
    record : mapping
        NumPy numbers are allowed; NaN and infinity become null, because JSON has neither. Where ``file`` is a name
        that is no UTF-8, its bytes stand in ``file_bytes_hex``.
    """
    table = {"schema": f"nowplaying/{schema}", **plain(record)}
    file = record.get("file")
    if isinstance(file, str) and printable(file) != file:
        table["file_bytes_hex"] = os.fsencode(file).hex()
    is_ascii = (sys.stdout.encoding or "ascii").lower().replace("-", "") not in {"utf8", "utf16", "utf32"}
    say(json.dumps(table, ensure_ascii=is_ascii, allow_nan=False))


def table(headings: list[str], rows: list[list[str]]) -> None:
    """Print a table on stdout: one line a row in a pipe, wrapped between words to fit a terminal."""
    headings, *rows = [[visible(cell) for cell in row] for row in [headings, *rows]]
    lengths = [[len(row[column]) for row in [headings, *rows]] for column in range(len(headings))]
    limit = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    # One title of a thousand letters must not push all others aside in a pipe.
    widths = [max(min(length, _WIDEST_COLUMN) if limit is None else length for length in column) for column in lengths]
    if limit is not None:
        _narrow(widths, limit - 2 * (len(widths) - 1), [headings, *rows])
    for row in [headings, *rows]:
        cells = [
            [cell] if limit is None else wrap(cell, width, break_on_hyphens=False) or [""]
            for cell, width in zip(row, widths, strict=True)
        ]
        for line in zip_longest(*cells, fillvalue=""):
            say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _narrow(widths: list[int], limit: int, rows: list[list[str]]) -> None:
    """Make the widest columns narrower, never below their longest word, until a line fits."""
    longest = [
        max((len(word) for row in rows for word in row[column].split()), default=1) for column in range(len(widths))
    ]
    while sum(widths) > limit:
        wide = [column for column in range(len(widths)) if widths[column] > longest[column]]
        if not wide:
            return
        widths[max(wide, key=lambda column: widths[column])] -= 1


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
    is_shown = _log.isEnabledFor(logging.INFO) and console.is_terminal
    bar = Progress(*columns, console=console, disable=not is_shown, transient=True)
    with moving() if is_shown else nullcontext(), bar as progress:
        yield Advance(progress, description, total)


class Advance:
    """Moves one progress bar."""

    def __init__(self, progress: "Progress", description: str, total: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total, rate="")

    def __call__(self, done: float, total: float | None = None, rate: str = "") -> None:
        """Set how much is done, and of how much."""
        self._progress.update(self._task, completed=done, total=total, rate=rate)
