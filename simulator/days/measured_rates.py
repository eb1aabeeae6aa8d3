"""The models' error rates as they were measured, read from the folders of the models."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.network import DECISION_S
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.statistics import poisson_rate
from simulator.days.error_rates import SNR_STEPS_DB, ErrorRates
from simulator.days.scenes import SOUNDS
from simulator.energy.constants import Constant

__all__ = ["measured_rates"]

_SECOND_STAGE_KINDS = ("music", "other", "quiet")  # of sound, by which its runs are counted
_METRICS = "metrics.json"
_OUTPUTS_PER_H = 3600 / DECISION_S


def measured_rates(
    detector: str | Path | ModelFolder = SHIPPED_DETECTOR,
    fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
) -> ErrorRates:
    """Read the rates of two model folders.

    False wake-ups by kind of sound and recall by level come from the detector's ``metrics.json``; a kind or a level
    that it lacks gets the total over all streams.

    Raises
    ------
    ArtifactError
        When a folder or one of these files is missing or damaged.
    """
    listener = ModelFolder.open(detector, role="detector")
    prints = ModelFolder.open(fingerprinter, role="fingerprinter")
    return ErrorRates(
        title=f"measured on {listener.manifest['name']} and {prints.manifest['name']}",
        source=f"{_METRICS} of {listener.path.name} and of {prints.path.name}",
        **_detector_rates(listener),
        **_recognizer_rates(prints),
    )


def _detector_rates(folder: ModelFolder) -> dict[str, Any]:
    path = folder.path / _METRICS
    metrics, source = _read(path), f"{folder.path.name}/{_METRICS}: streams"
    try:
        streams = metrics["streams"]
        overall = _measured(streams["false_triggers_per_hour"], f"{source}, all kinds of sound")
        recall = _measured(streams["recall"], f"{source}, music at all levels")
        median_s = float(streams["median_delay_s"])
        slow_s = float(streams.get("delay_90_percent_s") or 2.5 * median_s)
        per_h = dict.fromkeys(SOUNDS, overall)
        if "room_tone" in metrics:
            per_h["quiet"] = _measured(metrics["room_tone"]["per_hour"], f"{folder.path.name}/{_METRICS}: room tone")
        else:
            reason = "as in silence; its false wake-ups were not measured"
            per_h["quiet"] = Constant(value=0.0, low=0.0, high=overall.low, source=reason, certainty="A")
        per_h |= _by_kind(streams.get("false_triggers_by_label", {}), source)
        by_snr = {
            float(name.split(" ", maxsplit=1)[0]): _measured(entry, f"{source}, music at {name}")
            for name, entry in streams.get("recall_by_snr", {}).items()
        }
        runs_per_h = _second_stage_per_h(folder, metrics)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: expected streams with false_triggers_per_hour, recall and median_delay_s ({error!r})"
        raise CorruptArtifactError(message) from error
    return {
        "false_triggers_per_h": per_h,
        "recall": dict(sorted(by_snr.items())) or dict.fromkeys(SNR_STEPS_DB, recall),
        "second_stage_per_h": runs_per_h,
        # Evenly spaced quantiles; the file states the median and one more.
        "delays_s": (0.5 * median_s, 0.8 * median_s, median_s, (median_s + slow_s) / 2, 1.5 * slow_s),
    }


def _second_stage_per_h(folder: ModelFolder, metrics: Mapping[str, Any]) -> dict[str, Constant]:
    """Return the runs of a second stage an hour; where they were not measured, at every output but in silence."""
    if "cascade" not in folder.manifest:
        return {}
    most = dict(zip(_SECOND_STAGE_KINDS, (_OUTPUTS_PER_H, _OUTPUTS_PER_H, 0.0), strict=True))
    reason = "not measured: as often as the first stage decides while anything sounds, never in silence"
    rates = {
        kind: Constant(value=value, low=0.0, high=_OUTPUTS_PER_H, source=reason, certainty="A")
        for kind, value in most.items()
    }
    source = f"{folder.path.name}/{_METRICS}: runs of the second stage"
    for kind, runs in metrics.get("second_stage", {}).get("runs_per_hour", {}).items():
        rates[kind] = _measured(runs, f"{source}, {kind}")
    return rates


def _by_kind(labels: Mapping[str, Any], source: str) -> dict[str, Constant]:
    """Return false wake-ups an hour by kind of sound; labels that are no kind are recordings of noise."""
    n: Counter[str] = Counter()
    hours: dict[str, float] = defaultdict(float)
    for label, entry in labels.items():
        kind = label if label in SOUNDS else "noise"
        n[kind] += int(entry["n"])
        hours[kind] += float(entry["hours"])
    rates = {kind: poisson_rate(n[kind], total).to_dict(4) for kind, total in hours.items() if total > 0}
    return {kind: _measured(rate, f"{source}, {kind}") for kind, rate in rates.items() if kind != "quiet"}


def _recognizer_rates(folder: ModelFolder) -> dict[str, Any]:
    path = folder.path / _METRICS
    metrics = _read(path)
    source = f"{folder.path.name}/{path.name}"
    try:
        known = [row for row in metrics["known"] if row.get("other_s", 0.0) == 0]
        eight = [row for row in known if row["length_s"] == 8 and row["snr_db"] is not None]
        by_snr = {
            room: tuple(sorted((float(r["snr_db"]), float(r["accepted"]["rate"])) for r in eight if r["room"] == name))
            for room, name in ((False, "none"), (True, "simulated"))
        }
        hardest = min((r for r in known if r["room"] == "simulated"), key=lambda r: (r["length_s"], r["snr_db"]))
        alike = [r for r in known if (r["room"], r["snr_db"]) == (hardest["room"], hardest["snr_db"])]
        whole = next(float(r["accepted"]["rate"]) for r in alike if r["length_s"] == 8)
        lengths = sorted((float(r["length_s"]), min(1.0, float(r["accepted"]["rate"]) / whole)) for r in alike)
        reference = next(r for r in eight if r["room"] == "simulated" and r["snr_db"] == hardest["snr_db"])
        low, high = (bound / reference["accepted"]["rate"] for bound in reference["accepted"]["bootstrap"])
        unknown = _worst(metrics["false_accepts"], "unknown music", source)
        noise = _worst(metrics["false_accepts"], "noise", source)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        message = f"{path}: expected the conditions of evaluate retrieval ({error!r}); measure it again"
        raise CorruptArtifactError(message) from error
    if not by_snr[False] or not by_snr[True]:
        message = f"{path}: expected conditions of eight seconds with and without rooms; measure it again"
        raise CorruptArtifactError(message)
    return {
        "accepted": Constant(value=1.0, low=min(low, 1.0), high=max(high, 1.0), source=source, certainty="P"),
        "accepted_by_snr": by_snr,
        "accepted_by_length": ((0.0, 0.0), *lengths),
        "unknown_accepted": unknown,
        "noise_accepted": noise,
    }


def _worst(rows: Sequence[Mapping[str, Any]], queries: str, source: str) -> Constant:
    chosen = max((r for r in rows if r["queries"] == queries), key=lambda r: float(r["rate"]))
    rate, high = float(chosen["rate"]), float(chosen["upper_95"])
    return Constant(value=rate, low=0.0, high=max(rate, high), source=f"{source}: {queries}", certainty="P")


def _measured(entry: Mapping[str, Any], source: str) -> Constant:
    value, low, high = (float(entry[key]) for key in ("value", "low", "high"))
    return Constant(value=value, low=min(low, value), high=max(high, value), source=source, certainty="P")


def _read(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path}: expected measured error rates in JSON ({error}); run nowplaying evaluate"
        raise CorruptArtifactError(message) from error
    if not isinstance(table, dict):
        message = f"{path}: expected a JSON object, found {type(table).__name__}"
        raise CorruptArtifactError(message)
    return table
