"""An explained answer for people: what was found, how clearly, and what was missing."""

import io
from collections.abc import Mapping
from typing import Any

from nowplaying.cli.output import say, visible
from nowplaying_core.text import clock

__all__ = ["print_explanation"]

_BAR_CELLS = 20


def print_explanation(record: Mapping[str, Any]) -> None:
    """Print the ``explain`` part of an answer as tables."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    explain = record["explain"]
    say(f"  why: {explain['reason']}")
    for reason in explain["reasons"]:
        say(f"  - {reason['text']}")
    if not explain["candidates"]:
        return
    stream = io.StringIO()
    # Wide enough for every column: lines of a terminal's width would cut titles in a pipe.
    console = Console(file=stream, width=120, color_system=None, highlight=False, markup=False)
    candidates = Table("", "song", "at", "raw score", "score", box=box.SIMPLE_HEAD, title_justify="left")
    for rank, candidate in enumerate(explain["candidates"], start=1):
        numbers = (f"{candidate['raw_score']:.3f}", f"{candidate['score']:.3f}")
        candidates.add_row(str(rank), _name(candidate), clock(candidate["offset_s"]), *numbers)
    console.print(candidates)
    steps = Table("query", "song time", "similarity", "", "music", "nearest other song", "", box=box.SIMPLE_HEAD)
    for step in explain["steps"]:
        runner_up = step["runner_up"]
        steps.add_row(
            clock(step["time_s"]),
            clock(step["reference_s"]),
            f"{step['similarity']:.2f}",
            _bar(step["similarity"]),
            f"{step['cohort_similarity']:.2f}",
            "none" if runner_up is None else f"{step['runner_up_similarity']:.2f}  {_name(runner_up)}",
            "+" if step["wins"] else "-",
        )
    console.print(steps)
    for line in stream.getvalue().splitlines():
        if line.strip():
            say(line.rstrip())
    n_wins = sum(step["wins"] for step in explain["steps"])
    scanned = f"{explain['n_scanned']} fingerprints of {explain['n_songs']} songs were compared with each"
    say(f"  {n_wins} of {len(explain['steps'])} fingerprints are nearest to the first song (+); {scanned}")


def _name(track: Mapping[str, Any]) -> str:
    return visible(" - ".join(part for part in (track["artist"], track["title"]) if part).replace("\n", " "))


def _bar(value: float) -> str:
    filled = round(_BAR_CELLS * min(max(value, 0.0), 1.0))
    return "#" * filled + "." * (_BAR_CELLS - filled)
