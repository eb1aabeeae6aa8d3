"""Text for people and plain values for JSON: clock times, tables and numbers in one spelling everywhere."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = [
    "clock",
    "counted",
    "html_table",
    "listed",
    "markdown_table",
    "native_path",
    "plain",
    "printable",
    "with_interval",
]


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, such as ``"1:02.5"``, from an hour on as ``"1:02:03.5"``; signed."""
    tenths = round(abs(seconds) * 10)
    sign = "-" if seconds < 0 and tenths else ""
    hours, minutes, rest = tenths // 36_000, tenths // 600 % 60, tenths % 600 / 10
    return f"{sign}{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{sign}{minutes}:{rest:04.1f}"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "song"), counted(1200, "song")
    ('1 song', '1,200 songs')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """Return a Markdown table without a final line end.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        Each as long as the headings.
    numbers : iterable of int
        Columns to align on the right.
    """
    right = set(numbers)
    rules = ["---:" if column in right else "---" for column in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows))


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """Return an HTML table for a notebook; all text is escaped.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        Each as long as the headings.
    numbers : iterable of int
        Columns to align on the right.
    """
    right = set(numbers)
    sides = ["right" if column in right else "left" for column in range(len(headings))]

    def line(tag: str, cells: Sequence[str]) -> str:
        filled = (
            f"<{tag} style='text-align:{side}'>{escape(cell)}</{tag}>" for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{''.join(filled)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', headings)}</thead><tbody>{body}</tbody></table>"


def listed(figures: Mapping[str, Any]) -> str:
    """Return named figures as a line for people, such as "step 50, loss 2.826, seconds per step 0.927"."""
    parts = []
    for name, value in figures.items():
        shown = f"{value:.4g}" if isinstance(value, float) else f"{value}"
        parts.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(parts)


def with_interval(
    found: Mapping[str, Any], digits: int = 1, *, of: str = "value", scale: float = 1, sign: str = "", unit: str = ""
) -> str:
    """Return an estimate and its interval, such as ``"88.4 % (80.5 to 93.4)"``.

    Parameters
    ----------
    found : mapping
        With ``of``, ``low`` and ``high``.
    digits : int
        Behind the point.
    of : str
        The estimate's name.
    scale : float
        That all three are multiplied by: 100 for per cent.
    sign : str
        ``"+"`` shows the sign of positive numbers too.
    unit : str
        Written behind the estimate, with its space.

    Examples
    --------
    >>> with_interval({"difference": 0.0125, "low": 0.001, "high": 0.0233}, of="difference", scale=100, sign="+")
    '+1.2 (+0.1 to +2.3)'
    """
    value, low, high = (f"{scale * found[name]:{sign}.{digits}f}" for name in (of, "low", "high"))
    return f"{value}{unit} ({low} to {high})"


def printable(text: str) -> str:
    r"""Return a text without surrogates: bytes of a file's name that are no UTF-8 stand as ``\xe9``."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def native_path(path: "os.PathLike[str] | str") -> str:
    """Return a file's path as a text that C libraries encode as UTF-8 to the same bytes.

    Raises
    ------
    UnicodeDecodeError
        When no text does.
    """
    return os.fsencode(path).decode("utf-8")


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: NumPy's numbers as Python's, NaN and infinity as null, anything else as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):  # NumPy arrays and scalars, without importing NumPy
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else printable(str(value))
