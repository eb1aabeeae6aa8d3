"""Text for people: times on a clock and Markdown tables, in one spelling everywhere."""

from collections.abc import Iterable, Sequence

__all__ = ["clock", "markdown_table"]


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
