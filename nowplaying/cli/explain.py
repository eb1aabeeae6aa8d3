"""An explanation printed for people: the candidates, the evidence of each fingerprint, and what was missing."""

import io
from typing import TYPE_CHECKING

from nowplaying.cli.output import paragraph, say, visible
from nowplaying_core.text import clock

if TYPE_CHECKING:
    from ondevice_db.format.track import Track
    from ondevice_db.match.explain import Explanation

__all__ = ["print_explanation"]

_BAR_CELLS = 10
_WIDTH = 80  # in a pipe as well; long titles go on in the next line


def print_explanation(explanation: "Explanation") -> None:
    """Print an explanation as tables."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    tracks, steps = explanation.tracks, explanation.steps
    say(f"  why: {explanation.reason}")
    for reason in explanation.reasons:
        say(f"  - {reason.text}")
    if not explanation.candidates:
        return
    stream = io.StringIO()
    console = Console(file=stream, width=_WIDTH, color_system=None, highlight=False, markup=False)
    candidates = Table("", "song", "at", "raw score", "score", box=box.SIMPLE_HEAD, title_justify="left")
    for rank, one in enumerate(explanation.candidates, start=1):
        numbers = (f"{one.raw_score:.3f}", f"{one.score:.3f}")
        candidates.add_row(str(rank), _name(tracks[one.song_index]), clock(one.offset_s), *numbers)
        for copy in one.also:
            candidates.add_row("", f"also {_name(tracks[copy.song_index])}", clock(copy.offset_s), "", "")
    console.print(candidates)
    evidence = Table("query", "song", "similarity", "cohort", "runner-up", "", box=box.SIMPLE_HEAD)
    for step in steps:
        other = step.runner_up_song
        evidence.add_row(
            clock(step.time_s),
            clock(step.reference_s),
            f"{step.similarity:.2f} {_bar(step.similarity)}",
            f"{step.cohort_similarity:.2f}",
            "none" if other is None else f"{step.runner_up_similarity:.2f}  {_name(tracks[other])}",
            "+" if step.wins else "-",
        )
    console.print(evidence)
    for line in stream.getvalue().splitlines():
        if line.strip():
            say(line.rstrip())
    n_wins = sum(step.wins for step in steps)
    scanned = f"{explanation.n_scanned} fingerprints of {explanation.n_songs} songs were compared with each"
    paragraph(f"  {n_wins} of {len(steps)} fingerprints are nearest to the first song (+); {scanned}", indent=2)


def _name(song: "Track") -> str:
    return visible(song.name.replace("\n", " "))


def _bar(value: float) -> str:
    filled = round(_BAR_CELLS * min(max(value, 0.0), 1.0))
    return "#" * filled + "." * (_BAR_CELLS - filled)
