"""Gates over streams: what each of a grid finds, how often it is wrong, how late it is, and which one is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, Final

import numpy as np

from detector.gate import GateConfig
from evaluation.detector.tracks import StreamTrack, false_triggers, found_regions, triggers_of

__all__ = [
    "AUDIBLE_DB",
    "SHAPES",
    "SILENCE_DBFS",
    "Tally",
    "best_row",
    "choose_gate",
    "frontier",
    "gate_of",
    "outcome",
    "sweep_gate",
    "tally",
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
SHAPES: Final[Sequence[Mapping[str, Any]]] = tuple(
    dict(zip(_SHAPE, values, strict=True))
    for values in chain(
        product(_WINDOWS, _HITS, _THRESHOLDS, (None,), (None,)),
        product(_EARLY_LONG_WINDOWS, (1,), _THRESHOLDS[-16:], _EARLY_WINDOWS, _EARLY_THRESHOLDS),
    )
)
"""Settings of the grid's gates: one window and hits in a row, then a long window with a short one beside it."""

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


def outcome(tracks: Sequence[StreamTrack], triggers_s: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return what triggers find and how often they are wrong, as a row of a sweep has it.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    triggers_s : sequence of sequence of float
        For each track, in seconds.

    Returns
    -------
    dict
        ``recall`` of all regions and ``recall_audible``, ``n_audible_found``; ``false_triggers_per_hour`` of sound
        without music, and ``n_false_triggers``; ``median_delay_s`` and ``delay_90_percent_s`` of the regions found,
        from their beginning, or None.
    """
    counted = tally(tracks, triggers_s)
    n_regions = sum(len(track.regions) for track in tracks)
    hours = sum(track.other_s for track in tracks) / 3_600
    delays_s = counted.delays_s
    return {
        "recall": counted.n_found / max(1, n_regions),
        "recall_audible": counted.n_audible_found / max(1, counted.n_audible),
        "n_audible_found": counted.n_audible_found,
        "false_triggers_per_hour": counted.n_false / max(hours, 1e-9),
        "n_false_triggers": counted.n_false,
        "median_delay_s": float(np.median(delays_s)) if delays_s else None,
        "delay_90_percent_s": float(np.quantile(delays_s, 0.9)) if delays_s else None,
    }


def sweep_gate(tracks: Sequence[StreamTrack], shapes: Sequence[Mapping[str, Any]] = SHAPES) -> list[dict[str, Any]]:
    """Return recall and false wake-ups of every gate of a grid.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    shapes : sequence of mapping
        The gates' settings, as in ``SHAPES``.

    Returns
    -------
    list of dict
        ``window``, ``consecutive_hits``, ``enter_threshold``, ``early_window`` and ``early_threshold`` (or None), which
        :func:`gate_of` makes a gate of; and what :func:`outcome` returns.
    """
    gates = ((shape, gate_of(shape)) for shape in shapes)
    return [{**shape, **outcome(tracks, [triggers_of(track, gate) for track in tracks])} for shape, gate in gates]


def frontier(sweep: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the gates that no other beats in both recall and false wake-ups, the quietest first."""
    best: list[Mapping[str, Any]] = []
    order = sorted(sweep, key=lambda row: (row["false_triggers_per_hour"], -row["recall_audible"], _delay(row)))
    for row in order:
        if not best or row["recall_audible"] > best[-1]["recall_audible"]:
            best.append(row)
    return best


def best_row(
    sweep: Sequence[Mapping[str, Any]], *, max_false_per_hour: float, max_delay_s: float = float("inf")
) -> Mapping[str, Any] | None:
    """Return the row with the best recall of regions at 5 dB or more within both limits; None where there is none.

    Parameters
    ----------
    sweep : sequence of mapping
        Rows of :func:`sweep_gate`. Of those alike in recall, the one with the fewest false wake-ups, then the quickest,
        then the first is returned.
    max_false_per_hour : float
        Of sound without music.
    max_delay_s : float
        From the music's start, in the median.
    """
    fit = [row for row in sweep if row["false_triggers_per_hour"] <= max_false_per_hour and _delay(row) <= max_delay_s]
    if not fit:
        return None
    return max(fit, key=lambda row: (row["recall_audible"], -row["false_triggers_per_hour"], -_delay(row)))


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
    limit = max(max_false_per_hour, min(row["false_triggers_per_hour"] for row in sweep))
    quick = best_row(sweep, max_false_per_hour=limit, max_delay_s=max_delay_s)
    return gate_of(quick or best_row(sweep, max_false_per_hour=limit) or sweep[0])


def gate_of(row: Mapping[str, Any]) -> GateConfig:
    """Return the gate of a sweep's row, with the rests that all of them share."""
    shape = {name: row[name] for name in _SHAPE}
    return GateConfig(
        **shape,
        leave_threshold=round(_LEAVE_SHARE * shape["enter_threshold"], 6),
        cool_down_s=60.0,
        back_off_factor=_BACK_OFF,
        longest_rest_s=600.0,
        silence_dbfs=SILENCE_DBFS,
    )


def _delay(row: Mapping[str, Any]) -> float:
    return float("inf") if row["median_delay_s"] is None else float(row["median_delay_s"])
