"""Gates that answer clear music early, beside the shipped form: chosen on one set of streams, reported on another.

``python -m evaluation.experiments.early_gate CHOOSE REPORT`` reads folders of tracks that ``StreamTrack.save`` wrote.
Three forms, all in sums of 256ths: the moving average with consecutive hits (`detector.gate`); a long and a short
window side by side, either of which opens the gate; and a sequential test (Page, "Continuous inspection schemes",
Biometrika 41, 1954), which adds each output less a drift, never falls below 0, and opens at a limit.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.detector.sweep import tally
from evaluation.detector.tracks import StreamTrack, read_tracks, window_sums
from nowplaying_core.command import run_command
from nowplaying_core.text import markdown_table

__all__ = ["Outcome", "average", "choose", "main", "measure", "sequential", "two_windows"]

Outputs = NDArray[np.int64]
Rule = Callable[[Outputs], tuple[NDArray[np.bool_], NDArray[np.bool_]]]
"""Outputs of a stream to two arrays: where a closed gate would open, and where an open one would close."""

_LEAVE_SHARE: Final = 0.6
_THRESHOLDS: Final = (80, 110, 140, 160, 175, 190, 200, 210, 220, 228, 236, 242, 248, 252)
_RATES_PER_H: Final = (1.0, 2.0, 3.0)
_DELAYS_S: Final = (float("inf"), 5.0, 4.0, 3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a gate does over streams: recall of regions at 5 dB or more, false openings an hour, and delays."""

    recall: float
    false_per_h: float
    median_delay_s: float
    delay_90_percent_s: float


def average(window: int, threshold: int, hits: int) -> Rule:
    """Return the shipped form: so many averages in a row at a threshold, in 256ths."""

    def rule(outputs: Outputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        sums = window_sums(outputs, window)
        is_hit, step = sums >= window * threshold, np.arange(1, outputs.size + 1)
        run = step - np.maximum.accumulate(np.where(is_hit, 0, step))
        return run >= hits, sums < _LEAVE_SHARE * window * threshold

    return rule


def two_windows(long: int, threshold: int, short: int, short_threshold: int) -> Rule:
    """Return the form with a long and a short window, either of which opens the gate; both must fall to close it."""

    def rule(outputs: Outputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        slow, quick = window_sums(outputs, long), window_sums(outputs, short)
        opens = (slow >= long * threshold) | (quick >= short * short_threshold)
        closes = (slow < _LEAVE_SHARE * long * threshold) & (quick < _LEAVE_SHARE * short * short_threshold)
        return opens, closes

    return rule


def sequential(drift: int, limit: int, above: int) -> Rule:
    """Return the sequential test; its sum stops growing ``above`` the limit, so that it can fall again."""

    def rule(outputs: Outputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        sums, value = np.empty(outputs.size, dtype=np.int64), 0
        for number, output in enumerate(outputs.tolist()):
            value = min(max(0, value + output - drift), limit + above)
            sums[number] = value
        return sums >= limit, sums <= 0

    return rule


def measure(tracks: Sequence[StreamTrack], rule: Rule) -> Outcome:
    """Return what a gate does over streams."""
    openings = [track.times_s[_openings(*rule(track.outputs))].tolist() for track in tracks]
    counted = tally(tracks, openings)
    delays = counted.delays_s
    return Outcome(
        recall=counted.n_audible_found / max(1, counted.n_audible),
        false_per_h=counted.n_false / max(sum(track.other_s for track in tracks) / 3_600, 1e-9),
        median_delay_s=float(np.median(delays)) if delays else float("inf"),
        delay_90_percent_s=float(np.quantile(delays, 0.9)) if delays else float("inf"),
    )


def choose(rules: Iterable[tuple[str, Outcome]], *, per_h: float, delay_s: float) -> str | None:
    """Return the name of the gate with the best recall, then the least delay, within both limits; None without one."""
    fit = [(name, one) for name, one in rules if one.false_per_h <= per_h and one.median_delay_s <= delay_s]
    return max(fit, key=lambda pair: (pair[1].recall, -pair[1].median_delay_s))[0] if fit else None


def _grids() -> dict[str, dict[str, Rule]]:
    averages = itertools.product((1, 2, 3, 4, 6, 8), _THRESHOLDS, (1, 2, 3))
    pairs = itertools.product((4, 6, 8), (140, 160, 175, 190, 200, 210, 220, 232), (2, 3), (225, 236, 244, 250, 253))
    tests = itertools.product((64, 90, 120, 150, 180, 205, 225), (40, 70, 100, 140, 190, 250, 330), (0, 100, 300))
    return {
        "average": {str(one): average(*one) for one in averages},
        "two windows": {str(one): two_windows(*one) for one in pairs},
        "sequential": {str(one): sequential(*one) for one in tests},
    }


def _openings(opens: NDArray[np.bool_], closes: NDArray[np.bool_]) -> list[int]:
    """Return the steps at which the gate opens, each after it has closed."""
    steps: list[int] = []
    is_open = False
    for step, (may_open, may_close) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True)):
        if is_open:
            is_open = not may_close
        elif may_open:
            is_open = True
            steps.append(step)
    return steps


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("choose", type=Path, help="tracks on which the gates are chosen")
    parser.add_argument("report", type=Path, help="tracks on which they are reported")
    options = parser.parse_args(arguments)
    chosen_on, reported_on = read_tracks(options.choose), read_tracks(options.report)
    grids = _grids()
    outcomes = {form: {name: measure(chosen_on, rule) for name, rule in grid.items()} for form, grid in grids.items()}
    cells = []
    for per_h, delay_s in itertools.product(_RATES_PER_H, _DELAYS_S):
        for form, grid in grids.items():
            name = choose(outcomes[form].items(), per_h=per_h, delay_s=delay_s)
            if name is not None:
                found = measure(reported_on, grid[name])
                figures = (100 * found.recall, found.false_per_h, found.median_delay_s, found.delay_90_percent_s)
                limits = (f"{per_h:g}", "any" if delay_s == float("inf") else f"{delay_s:g}")
                cells.append((*limits, f"{form} {name}", *(f"{value:.2f}" for value in figures)))
    headings = ("most false/h", "most median (s)", "gate", "recall (%)", "false/h", "median (s)", "nine of ten (s)")
    sys.stdout.write(markdown_table(headings, cells, numbers=range(3, 7)) + "\n")
    return 0


if __name__ == "__main__":
    run_command(main)
