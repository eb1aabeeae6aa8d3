"""Whether music fades from the detector as it goes on: python -m evaluation.experiments.since_onset TRACKS.

Reads tracks that ``StreamTrack.save`` wrote, and counts the outputs over music at 5 dB or more that reach a threshold,
by the time from the music's beginning to the window's end. The first windows of 4.48 s still hold the beginning, before
the front end has adapted to it: if gain control hid sustained music, they would be found more often than those after.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from detector.gate import STEPS
from detector.network import WINDOW_S
from evaluation.detector.sweep import AUDIBLE_DB
from evaluation.detector.tracks import StreamTrack, read_tracks
from nowplaying_core.command import run_command
from nowplaying_core.statistics import Interval, cluster_bootstrap
from nowplaying_core.text import markdown_table

__all__ = ["main", "shares"]

_EDGES_S: Final = (2.5, WINDOW_S, 5.5, 7.0, 10.0, 16.0, 40.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracks", type=Path)
    parser.add_argument("--threshold", type=float, default=0.5)
    options = parser.parse_args(arguments)
    tracks = read_tracks(options.tracks)
    headings = [f"{low:g} to {high:g} s" for low, high in pairwise(_EDGES_S)]
    cells = []
    for kind in ("rhythmic", "sustained"):
        found = shares(tracks, kind, options.threshold)
        texts = (f"{100 * one.value:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})" if one else "" for one in found)
        cells.append((kind, *texts))
    sys.stdout.write(markdown_table(("music", *headings), cells, numbers=range(1, len(headings) + 1)) + "\n")
    return 0


def shares(tracks: Sequence[StreamTrack], kind: str, threshold: float) -> list[Interval | None]:
    """Return the share of outputs at or above a threshold in regions of one class, by the time since their beginning.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    kind : {"rhythmic", "sustained"}
    threshold : float in [0, 1]

    Returns
    -------
    list of Interval or None
        Bootstrapped over pieces; None where there is no output.
    """
    ages: list[float] = []
    hits: list[bool] = []
    titles: list[str] = []
    for track in tracks:
        for region in track.regions:
            if region.onset_class == kind and region.snr_db >= AUDIBLE_DB:
                rows = np.flatnonzero((track.times_s > region.start_s) & (track.times_s <= region.end_s))
                ages += (track.times_s[rows] - region.start_s).tolist()
                hits += (track.outputs[rows] >= threshold * STEPS).tolist()
                titles += [region.title] * rows.size
    bins = np.digitize(ages, _EDGES_S) - 1
    found: list[Interval | None] = []
    for number in range(len(_EDGES_S) - 1):
        rows = np.flatnonzero(bins == number)
        values = np.array(hits, dtype=np.float64)[rows]
        chosen = [titles[row] for row in rows]
        found.append(cluster_bootstrap(values, chosen, np.random.default_rng(0)) if rows.size else None)
    return found


if __name__ == "__main__":
    run_command(main)
