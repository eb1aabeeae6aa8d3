"""The trade-off between music found and false wake-ups: over window, threshold and hits, and over single windows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.gate import STEPS, GateConfig
from evaluation.detector.tracks import StreamTrack, false_triggers, found_regions, triggers_of
from nowplaying_core.statistics import Interval

__all__ = [
    "AUDIBLE_DB",
    "SILENCE_DBFS",
    "Tally",
    "choose_gate",
    "det_curve",
    "frontier",
    "sweep_gate",
    "tally",
    "window_area",
    "window_counts",
]

AUDIBLE_DB: Final = 5.0
"""Regions at this level above their background or higher are what recall is promised for."""

SILENCE_DBFS: Final = -70.0
"""Level of silence of the gates that are chosen here: below the quietest music worth recognizing."""

_WINDOWS: Final = (1, 2, 3, 4, 6, 8)
_HITS: Final = (1, 2, 3, 4)
_THRESHOLDS: Final = tuple(step / 64 for step in range(16, 64))
_EARLY_WINDOWS: Final = (2, 3)
_EARLY_LONG_WINDOWS: Final = (4, 6, 8)
_EARLY_THRESHOLDS: Final = tuple(step / 256 for step in (240, 244, 247, 249, 251, 253))
_SHAPE: Final = ("window", "consecutive_hits", "enter_threshold", "early_window", "early_threshold")
_LEAVE_SHARE: Final = 0.6
_BACK_OFF: Final = 1.25  # twice as long each time saves 6 % of a day's energy and leaves one song in eleven unnamed


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Counts over streams: regions found, of all and of those at 5 dB or more, delays in s, and false triggers."""

    n_found: int
    n_audible: int
    n_audible_found: int
    delays_s: list[float]
    n_false: int


def tally(tracks: Sequence[StreamTrack], triggers_s: Sequence[Sequence[float]]) -> Tally:
    """Count the regions that triggers find and the triggers outside all of them.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    triggers_s : sequence of sequence of float
        For each track, in seconds.
    """
    found = [found_regions(track.regions, times) for track, times in zip(tracks, triggers_s, strict=True)]
    audible = [[region.snr_db >= AUDIBLE_DB for region in track.regions] for track in tracks]
    return Tally(
        n_found=sum(map(len, found)),
        n_audible=sum(map(sum, audible)),
        n_audible_found=sum(
            is_audible[number] for is_audible, one in zip(audible, found, strict=True) for number in one
        ),
        delays_s=[delay_s for one in found for delay_s in one.values()],
        n_false=sum(len(false_triggers(t.regions, times)) for t, times in zip(tracks, triggers_s, strict=True)),
    )


def sweep_gate(tracks: Sequence[StreamTrack]) -> list[dict[str, Any]]:
    """Return recall and false wake-ups of every gate of a grid.

    Parameters
    ----------
    tracks : sequence of StreamTrack

    Returns
    -------
    list of dict
        ``window``, ``consecutive_hits``, ``enter_threshold``, ``early_window`` and ``early_threshold`` (or None);
        ``recall`` of all regions and ``recall_audible``;
        ``false_triggers_per_hour``; ``median_delay_s`` or None.
    """
    n_regions = sum(len(track.regions) for track in tracks)
    hours = sum(track.other_s for track in tracks) / 3_600
    rows = []
    for shape in _shapes():
        gate = _gate(shape)
        counted = tally(tracks, [triggers_of(track, gate) for track in tracks])
        rows.append(
            {
                **shape,
                "recall": counted.n_found / max(1, n_regions),
                "recall_audible": counted.n_audible_found / max(1, counted.n_audible),
                "false_triggers_per_hour": counted.n_false / max(hours, 1e-9),
                "median_delay_s": float(np.median(counted.delays_s)) if counted.delays_s else None,
            }
        )
    return rows


def frontier(sweep: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the gates that no other beats in both recall and false wake-ups, the quietest first."""
    best: list[Mapping[str, Any]] = []
    order = sorted(sweep, key=lambda row: (row["false_triggers_per_hour"], -row["recall_audible"], _delay(row)))
    for row in order:
        if not best or row["recall_audible"] > best[-1]["recall_audible"]:
            best.append(row)
    return best


def choose_gate(
    sweep: Sequence[Mapping[str, Any]], *, max_false_per_hour: float, max_delay_s: float = 5.0
) -> GateConfig:
    """Return the gate with the best recall among those that are quiet and quick enough.

    Parameters
    ----------
    sweep : sequence of mapping
        Rows of ``sweep_gate``.
    max_false_per_hour : float
        Of sound without music. Where no gate is that quiet, the quietest is chosen.
    max_delay_s : float
        From the music's start, in the median. Where no quiet gate is that quick, the slower ones count too.
    """
    quiet = [row for row in sweep if row["false_triggers_per_hour"] <= max_false_per_hour]
    if not quiet:
        least = min(row["false_triggers_per_hour"] for row in sweep)
        quiet = [row for row in sweep if row["false_triggers_per_hour"] == least]
    quick = [row for row in quiet if _delay(row) <= max_delay_s] or quiet
    best = max(quick, key=lambda row: (row["recall_audible"], -row["false_triggers_per_hour"], -_delay(row)))
    return _gate({name: best[name] for name in _SHAPE})


def window_counts(outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many windows had each of the 256 outputs: all that a ROC curve needs."""
    return np.bincount(outputs, minlength=STEPS)


def window_area(
    positive: NDArray[np.int64], negative: NDArray[np.int64], rng: np.random.Generator, n_resamples: int = 300
) -> Interval:
    """Return the area under the ROC curve of single windows, with an interval by bootstrap over streams.

    Parameters
    ----------
    positive, negative : ndarray of int64, shape (n_streams, 256)
        Counts of outputs, of ``window_counts``.
    rng : numpy.random.Generator
    n_resamples : int
    """
    draws = rng.integers(len(positive), size=(n_resamples, len(positive)))
    areas = [_area(positive[rows].sum(axis=0), negative[rows].sum(axis=0)) for rows in draws]
    finite = [area for area in areas if np.isfinite(area)] or [float("nan")]
    low, high = np.quantile(finite, [0.025, 0.975])
    return Interval(_area(positive.sum(axis=0), negative.sum(axis=0)), float(low), float(high))


def det_curve(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return false alarms and misses of single windows for thresholds from 1 to 255.

    Parameters
    ----------
    positive, negative : ndarray of int64, shape (256,)
    """
    misses = np.cumsum(positive)[:-1] / max(1, int(positive.sum()))
    alarms = 1 - np.cumsum(negative)[:-1] / max(1, int(negative.sum()))
    return {"false_alarm": np.round(alarms, 5).tolist(), "miss": np.round(misses, 5).tolist()}


def _area(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> float:
    below = np.cumsum(negative) - negative
    pairs = float(positive.sum()) * float(negative.sum())
    return float((positive * (below + negative / 2)).sum() / pairs) if pairs else float("nan")


def _delay(row: Mapping[str, Any]) -> float:
    return float("inf") if row["median_delay_s"] is None else float(row["median_delay_s"])


def _shapes() -> Iterator[dict[str, Any]]:
    """Yield the settings of every gate of the grid: one window, then a long one with a short one beside it."""
    none = (None,)
    for values in chain(
        product(_WINDOWS, _HITS, _THRESHOLDS, none, none),
        product(_EARLY_LONG_WINDOWS, (1,), _THRESHOLDS[-16:], _EARLY_WINDOWS, _EARLY_THRESHOLDS),
    ):
        yield dict(zip(_SHAPE, values, strict=True))


def _gate(shape: Mapping[str, Any]) -> GateConfig:
    return GateConfig(
        **shape,
        leave_threshold=round(_LEAVE_SHARE * shape["enter_threshold"], 4),
        cool_down_s=60.0,
        back_off_factor=_BACK_OFF,
        longest_rest_s=600.0,
        silence_dbfs=SILENCE_DBFS,
    )
