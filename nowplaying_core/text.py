"""Text for people: times on a clock and Markdown tables, in one spelling everywhere."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["clock", "html_table", "markdown_table"]


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, such as ``"1:02.5"``; negative times keep their sign."""
    tenths = round(abs(seconds) * 10)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{tenths // 600}:{tenths % 600 / 10:04.1f}"


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
