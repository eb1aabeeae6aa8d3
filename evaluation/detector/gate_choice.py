"""Choose a detector's gate: of a whole surface, the one that finds the most music within limits on error and delay.

The surface spans the gates of :mod:`evaluation.detector.sweep` and, for two stages, the outputs of the first from which
on the second is run. Counted are entries into music, which no rest after a wake-up hides; the chosen gate is shown with
its rests as well.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from detector.gate import GateConfig
from evaluation.detector.gate_streams import Detectors, GateStreams
from evaluation.detector.rests import wake_ups
from evaluation.detector.second_stage_runs import runs_per_hour
from evaluation.detector.sweep import AUDIBLE_DB, SHAPES, best_row, gate_of, outcome, sweep_gate
from evaluation.detector.tracks import StreamTrack, triggers_of
from nowplaying_core.errors import ConfigError
from nowplaying_core.processes import as_given, share_out
from nowplaying_core.settings import require_between
from nowplaying_core.statistics import poisson_rate, wilson

__all__ = ["WANTED_ABOVE", "GateLimits", "choose", "confirmed", "pareto", "sweep_surface"]

WANTED_ABOVE: Final = (32, 64, 96, 128, 160)
"""Outputs of the first stage, in 256ths, from which on the second may be run."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateLimits:
    """What a gate must keep to, on all streams together.

    Attributes
    ----------
    max_false_per_hour : float >= 0
        Entries into music an hour of sound without music.
    max_median_delay_s : float > 0, seconds
        From the beginning of the regions found, in the median.

    Raises
    ------
    ConfigError
        When a limit is out of its range.
    """

    max_false_per_hour: float = 1.0
    max_median_delay_s: float = 4.5

    def __post_init__(self) -> None:
        require_between(self, 0, 1_000, "max_false_per_hour")
        require_between(self, 0.1, 1_000, "max_median_delay_s")


def choose(
    streams: GateStreams,
    detectors: Detectors,
    limits: GateLimits,
    *,
    wanted_above: Sequence[int] = WANTED_ABOVE,
    shapes: Sequence[Mapping[str, Any]] = SHAPES,
    seed: int = 1,
    jobs: int = 1,
) -> dict[str, Any]:
    """Return the gate that finds the most music within the limits, its figures, and the surface that it lies on.

    Parameters
    ----------
    streams : GateStreams
    detectors : Detectors
        That ran on them.
    limits : GateLimits
    wanted_above : sequence of int in [0, 256]
        Not used where there is one stage.
    shapes : sequence of mapping
        The gates, as in :data:`evaluation.detector.sweep.SHAPES`.
    seed : int
        That the streams were composed with.
    jobs : int >= 1

    Returns
    -------
    dict
        Plain values: ``gate`` and ``wanted_above``, as :func:`detector.chosen_gate.read_chosen_gate` reads them;
        ``figures`` on the held-out sources, on ``dev`` and on both; ``surface``, the gates that no other beats in
        recall, false wake-ups and delay on both; and what they were chosen for, and on.

    Raises
    ------
    ConfigError
        When no gate keeps to the limits, or the streams hold nothing to choose by.
    """
    sets = {"train": streams.train, "dev": streams.dev, "both": [*streams.train, *streams.dev]}
    tracks = sets["both"]
    _require_material(sets)
    wanted = tuple(sorted(set(wanted_above), reverse=True)) if tracks[0].first_outputs.size else (None,)
    sweep = sweep_surface(tracks, wanted, shapes, jobs=jobs)
    best = best_row(sweep, max_false_per_hour=limits.max_false_per_hour, max_delay_s=limits.max_median_delay_s)
    if best is None:
        raise ConfigError(_why_none(sweep, limits))
    gate, threshold = gate_of(best), best["wanted_above"]
    return {
        "schema": "gates/1",
        "model": _identity(detectors.model.manifest),
        "first_stage_on_train": _identity(detectors.first_stage.manifest),
        "held_out": {
            "fold": streams.held_out.fold,
            "n_folds": streams.held_out.n_folds,
            "is_recorded": streams.is_recorded,
        },
        "seed": seed,
        "limits": {
            "max_false_per_hour": limits.max_false_per_hour,
            "max_median_delay_s": limits.max_median_delay_s,
        },
        "gate": gate.to_dict(),
        **({} if threshold is None else {"wanted_above": threshold}),
        "figures": {name: _figures([confirmed(one, threshold) for one in part], gate) for name, part in sets.items()},
        "n_gates": len(sweep),
        "by_wanted_above": [_by_wanted_above(tracks, sweep, one, limits) for one in wanted if one is not None],
        "surface": [_plain(row) for row in pareto(sweep)],
    }


def sweep_surface(
    tracks: Sequence[StreamTrack],
    wanted_above: Sequence[int | None],
    shapes: Sequence[Mapping[str, Any]] = SHAPES,
    *,
    jobs: int = 1,
) -> list[dict[str, Any]]:
    """Return the rows of :func:`evaluation.detector.sweep.sweep_gate` for each ``wanted_above``, in the given order.

    Parameters
    ----------
    tracks : sequence of StreamTrack
        Where there are two stages, the second was run from the smallest of ``wanted_above`` on.
    wanted_above : sequence of int in [0, 256], or of one None
        None: the outputs are taken as they are.
    shapes : sequence of mapping
    jobs : int >= 1
    """
    _log.info("counting the gates of %d settings on %d streams", len(wanted_above), len(tracks))
    return [row for rows in share_out(_sweep, wanted_above, as_given, tracks, shapes, jobs=jobs) for row in rows]


def confirmed(track: StreamTrack, wanted_above: int | None) -> StreamTrack:
    """Return a track as it is where the second stage runs from an output of the first on, and 0 elsewhere."""
    if wanted_above is None:
        return track
    return replace(track, outputs=np.where(track.first_outputs >= wanted_above, track.outputs, 0))


def pareto(sweep: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows that no other equals or beats in recall, false wake-ups and delay at once, the quietest first.

    Parameters
    ----------
    sweep : sequence of mapping
        Of rows that are alike in all three, the first is kept. Gates that find nothing are left out.
    """
    kept: list[Mapping[str, Any]] = []
    finding = (row for row in sweep if row["median_delay_s"] is not None)
    # A row can only be beaten by rows before it in this order.
    for row in sorted(
        finding, key=lambda one: (one["false_triggers_per_hour"], -one["recall_audible"], one["median_delay_s"])
    ):
        if not any(
            one["recall_audible"] >= row["recall_audible"] and one["median_delay_s"] <= row["median_delay_s"]
            for one in kept
        ):
            kept.append(row)
    return kept


def _sweep(
    state: tuple[Sequence[StreamTrack], Sequence[Mapping[str, Any]]], wanted_above: int | None
) -> list[dict[str, Any]]:
    tracks, shapes = state
    rows = sweep_gate([confirmed(track, wanted_above) for track in tracks], shapes)
    return [{"wanted_above": wanted_above, **row} for row in rows]


def _figures(tracks: Sequence[StreamTrack], gate: GateConfig) -> dict[str, Any]:
    """Return what a gate does on streams, and what a phone does that rests after each wake-up."""

    def counted(triggers: Callable[[StreamTrack, GateConfig], list[float]]) -> dict[str, Any]:
        row = outcome(tracks, [triggers(track, gate) for track in tracks])
        return {
            "recall": wilson(row["n_audible_found"], n_audible).to_dict(),
            "n_false": row["n_false_triggers"],
            "false_per_hour": poisson_rate(row["n_false_triggers"], hours).to_dict(3),
            "median_delay_s": _rounded(row["median_delay_s"]),
            "delay_90_percent_s": _rounded(row["delay_90_percent_s"]),
        }

    hours, n_audible = sum(track.other_s for track in tracks) / 3_600, _n_audible(tracks)
    return {
        "n_streams": len(tracks),
        "hours_without_music": round(hours, 3),
        "n_regions": n_audible,
        "entries": counted(triggers_of),
        "with_rests": counted(wake_ups),
    }


def _by_wanted_above(
    tracks: Sequence[StreamTrack], sweep: Sequence[Mapping[str, Any]], wanted_above: int, limits: GateLimits
) -> dict[str, Any]:
    rows = [row for row in sweep if row["wanted_above"] == wanted_above]
    best = best_row(rows, max_false_per_hour=limits.max_false_per_hour, max_delay_s=limits.max_median_delay_s)
    return {
        "wanted_above": wanted_above,
        "runs_per_hour": {kind: rate["value"] for kind, rate in runs_per_hour(tracks, wanted_above).items()},
        "best": None if best is None else _plain(best),
    }


def _identity(manifest: Mapping[str, Any]) -> dict[str, Any]:
    files = {name: record["sha256"] for name, record in manifest["files"].items()}
    return {"name": manifest["name"], "version": manifest["version"], "files": files}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("recall", "recall_audible", "false_triggers_per_hour", "median_delay_s", "delay_90_percent_s")
    return {**row, **{name: _rounded(row[name], 4) for name in shown}}


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _n_audible(tracks: Sequence[StreamTrack]) -> int:
    return sum(region.snr_db >= AUDIBLE_DB for track in tracks for region in track.regions)


def _require_material(sets: Mapping[str, Sequence[StreamTrack]]) -> None:
    for name, tracks in sets.items():
        if not _n_audible(tracks) or not sum(track.other_s for track in tracks):
            message = (
                f"{name}: expected streams with music at {AUDIBLE_DB:g} dB or more and with other sound, found "
                f"{len(tracks)} streams without; compose more"
            )
            raise ConfigError(message)


def _why_none(sweep: Sequence[Mapping[str, Any]], limits: GateLimits) -> str:
    quiet = [row for row in sweep if row["false_triggers_per_hour"] <= limits.max_false_per_hour]
    found = (
        f"the quietest has {min(row['false_triggers_per_hour'] for row in sweep):.2f} an hour"
        if not quiet
        else "none that is so quiet finds music"
        if not (delays := [row["median_delay_s"] for row in quiet if row["median_delay_s"] is not None])
        else f"the quickest that is so quiet has a median delay of {min(delays):.2f} s"
    )
    return (
        f"expected a gate with at most {limits.max_false_per_hour:g} false wake-ups an hour and a median delay of at "
        f"most {limits.max_median_delay_s:g} s, found none among {len(sweep)}: {found}; raise a limit"
    )
