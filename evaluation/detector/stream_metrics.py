"""Metrics over streams: regions found and false wake-ups at one gate, and ROC areas of single windows."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from detector.gate import GateConfig
from detector.network import DECISION_S
from evaluation.detector.roc import det_curve, window_area, window_counts
from evaluation.detector.streams import ROOM_TONE_DBFS, Region
from evaluation.detector.sweep import AUDIBLE_DB
from evaluation.detector.tracks import StreamTrack, entries, false_triggers, found_regions, triggers_of
from nowplaying_core.statistics import poisson_rate, wilson

__all__ = ["room_tone_metrics", "stream_metrics"]

_SNR_EDGES_DB: Final = (-5, 0, 5, 10, 15, 20, 25)
_LEVEL_EDGES_DBFS: Final = (-60, -45, -30, -15, 0)


def stream_metrics(tracks: Sequence[StreamTrack], gates: Sequence[GateConfig], *, seed: int = 0) -> dict[str, Any]:
    """Return the regions that a gate finds and its false wake-ups, over all streams and by kind.

    Parameters
    ----------
    tracks : sequence of StreamTrack
    gates : sequence of GateConfig
        Track i uses gate number i modulo the number of gates.
    seed : int
        Seed of the bootstrap over streams.
    """
    regions: list[tuple[Region, bool]] = []
    delays: list[float] = []
    false, false_by_source = Counter[str](), Counter[str]()
    exposure_s, exposure_by_source_s = Counter[str](), Counter[str]()
    for number, track in enumerate(tracks):
        times = triggers_of(track, gates[number % len(gates)])
        found = found_regions(track.regions, times)
        regions += [(region, place in found) for place, region in enumerate(track.regions)]
        delays += found.values()
        for time_s in false_triggers(track.regions, times):
            part = track.parts[track.part_of[np.searchsorted(track.times_s, time_s)]]
            false[part.label] += 1
            false_by_source.update(part.sources)
        n_outside = np.bincount(track.part_of[track.is_outside], minlength=len(track.parts))
        for part, n in zip(track.parts, n_outside.tolist(), strict=True):
            exposure_s.update({part.label: DECISION_S * n} if n else {})
            exposure_by_source_s.update(dict.fromkeys(part.sources, DECISION_S * n) if n else {})
    # A trigger in a quiet room is false as well, but the time there would make the rate look better.
    hours = sum(track.other_s for track in tracks) / 3_600
    audible = [(region, is_found) for region, is_found in regions if region.snr_db >= AUDIBLE_DB]
    return {
        "gates": [gate.to_dict() for gate in gates],
        "n_streams": len(tracks),
        "hours": round(sum(track.duration_s for track in tracks) / 3_600, 3),
        "hours_without_music": round(hours, 3),
        "unique_hours_without_music": round(_recorded_hours(tracks), 3),
        "n_regions": len(regions),
        "recall": _recall(regions),
        "audible_db": AUDIBLE_DB,
        "recall_audible": _recall(audible),
        "recall_by_snr": _recall_by(regions, _band(_SNR_EDGES_DB, "dB", "snr_db")),
        "recall_by_level": _recall_by(audible, _band(_LEVEL_EDGES_DBFS, "dBFS", "level_dbfs")),
        "recall_by_onset_class": _recall_by(audible, lambda region: region.onset_class),
        "recall_by_background": _recall_by(audible, lambda region: region.behind),
        "recall_by_source": _recall_by(audible, lambda region: region.source or "not stated"),
        "n_false_triggers": sum(false.values()),
        "false_triggers_per_hour": poisson_rate(sum(false.values()), max(hours, 1e-9)).to_dict(),
        "false_triggers_by_label": _rates(false, exposure_s),
        "false_triggers_by_source": _rates(false_by_source, exposure_by_source_s),
        "median_delay_s": round(float(np.median(delays)), 2) if delays else None,
        "delay_90_percent_s": round(float(np.quantile(delays, 0.9)), 2) if delays else None,
        "default_kernels": _default_kernels(tracks, gates),
        **_windows(tracks, seed),
    }


def room_tone_metrics(tracks: Sequence[StreamTrack], gates: Sequence[GateConfig]) -> dict[str, Any]:
    """Return how often a gate triggers in streams without music, and the rate's interval."""
    hours = sum(track.duration_s for track in tracks) / 3_600
    n_triggers = sum(len(triggers_of(track, gates[number % len(gates)])) for number, track in enumerate(tracks))
    return {
        "level_dbfs": list(ROOM_TONE_DBFS),
        "hours": round(hours, 3),
        "n_triggers": n_triggers,
        "per_hour": poisson_rate(n_triggers, max(hours, 1e-9)).to_dict(),
    }


def _default_kernels(tracks: Sequence[StreamTrack], gates: Sequence[GateConfig]) -> dict[str, Any]:
    """Compare the runtime's default kernels with the reference kernels, which equal a microcontroller's."""
    compared = [(number, track) for number, track in enumerate(tracks) if track.delegate_outputs.size]
    moved = n_entries = 0
    steps = [np.abs(track.outputs - track.delegate_outputs) for _, track in compared]
    for number, track in compared:
        gate = gates[number % len(gates)]
        one, two = (set(entries(outputs, gate).tolist()) for outputs in (track.outputs, track.delegate_outputs))
        moved, n_entries = moved + len(one ^ two), n_entries + len(one)
    every = np.concatenate(steps) if steps else np.zeros(1, dtype=np.int64)
    return {
        "n_streams": len(compared),
        "n_entries": n_entries,
        "n_entries_at_one_only": moved,
        "share_of_outputs_that_differ": round(float((every > 0).mean()), 4),
        "most_steps": int(every.max()),
    }


def _windows(tracks: Sequence[StreamTrack], seed: int) -> dict[str, Any]:
    """ROC areas and DET curves of windows that lie wholly in music against those with none."""
    positive: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    negative: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    names = [f"music at {low} to {high} dB" for low, high in itertools.pairwise(_SNR_EDGES_DB)]
    names += ["sustained music", "rhythmic music"]
    kinds = sorted({part.kind for track in tracks for part in track.parts} - {"quiet"})
    for track in tracks:
        inside, outside = track.region_of >= 0, track.is_other
        snr_db = np.array([region.snr_db for region in track.regions] + [np.nan])[track.region_of]
        sustained = np.array([region.onset_class == "sustained" for region in track.regions] + [False])[track.region_of]
        kind = np.array([part.kind for part in track.parts])[track.part_of]
        chosen = {
            name: inside & (snr_db >= low) & (snr_db < low + 5)
            for name, low in zip(names, _SNR_EDGES_DB[:-1], strict=False)
        }
        audible = inside & (snr_db >= 0) & (snr_db < 20)
        chosen |= {"sustained music": audible & sustained, "rhythmic music": audible & ~sustained, "all": audible}
        for name, rows in chosen.items():
            positive[name].append(window_counts(track.outputs[rows]))
        for name in kinds:
            negative[name].append(window_counts(track.outputs[outside & (kind == name)]))
        negative["all"].append(window_counts(track.outputs[outside]))

    def area(music: str, other: str) -> dict[str, float | None]:
        rng = np.random.default_rng(seed)
        return window_area(np.array(positive[music]), np.array(negative[other]), rng).to_dict()

    totals = {name: np.sum(counts, axis=0) for name, counts in negative.items()}
    positive_total = np.sum(positive["all"], axis=0)
    return {
        "window_area": {"all (0 to 20 dB)": area("all", "all")}
        | {f"against {kind}": area("all", kind) for kind in kinds}
        | {name: area(name, "all") for name in names},
        "det": {name: det_curve(positive_total, counts) for name, counts in totals.items()},
    }


def _recorded_hours(tracks: Sequence[StreamTrack]) -> float:
    """Length of the different recordings without music, each counted once however often it was mixed."""
    files = {file for track in tracks for part in track.parts if part.kind != "quiet" for file in part.files}
    seconds = 0.0
    for file in sorted(files):
        try:
            seconds += float(soundfile.info(file).duration)
        except (OSError, RuntimeError):  # moved since, or of a container that another decoder read
            continue
    return seconds / 3_600


def _rates(n: Counter[str], exposure_s: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return triggers, hours and their rate by group, the most triggers first."""
    return {
        name: {
            "n": n[name],
            "hours": round(exposure_s[name] / 3_600, 3),
            "per_hour": poisson_rate(n[name], max(exposure_s[name], 1.0) / 3_600).to_dict(2),
        }
        for name in sorted(exposure_s, key=lambda name: (-n[name], name))
    }


def _recall(regions: Sequence[tuple[Region, bool]]) -> dict[str, Any]:
    return {"n": len(regions), **wilson(sum(is_found for _, is_found in regions), len(regions)).to_dict()}


def _recall_by(regions: Sequence[tuple[Region, bool]], name_of: Any) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[tuple[Region, bool]]] = defaultdict(list)
    for region, is_found in regions:
        groups[name_of(region)].append((region, is_found))
    return {name: _recall(groups[name]) for name in sorted(groups, key=_order)}


def _band(edges: Iterable[int], unit: str, field: str) -> Any:
    limits = tuple(edges)

    def name_of(region: Region) -> str:
        place = int(np.clip(np.searchsorted(limits, getattr(region, field), side="right"), 1, len(limits) - 1))
        return f"{limits[place - 1]} to {limits[place]} {unit}"

    return name_of


def _order(name: str) -> tuple[float, str]:
    """Sort bands by their lower edge, and names after them."""
    first = name.split(" ", maxsplit=1)[0]
    return (float(first), "") if first.lstrip("-").isdigit() else (float("inf"), name)
