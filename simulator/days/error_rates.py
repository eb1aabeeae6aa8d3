"""The two models' measured error rates, read from their folders, in place of the models themselves."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from detector.network import DECISION_S
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.statistics import poisson_rate
from simulator.days.scenes import SOUNDS
from simulator.energy.constants import Constant

__all__ = ["SECOND_STAGE_KINDS", "ErrorRates", "published_rates"]

SECOND_STAGE_KINDS = ("music", "other", "quiet")
"""Kinds of sound by which runs of a second stage are counted."""

_NOW_PLAYING = "Agüera y Arcas et al., arXiv:1711.10958, sec. 4"
_SNR_STEPS_DB = (0.0, 5.0, 10.0, 15.0)
_LOST_DB = 10.0  # this far below the quietest measured condition nothing is recognized


_METRICS = "metrics.json"
_OUTPUTS_PER_H = 3600 / DECISION_S


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorRates:
    """Error rates of the two models.

    Attributes
    ----------
    title, source : str
    false_triggers_per_h : mapping of str to Constant
        By kind of sound without music.
    recall : mapping of float to Constant
        Share of regions of music (16 to 40 s) found, by the lowest level of their 5 dB step.
    delays_s : tuple of float, ascending
        Quantiles, evenly spaced, of the time from the music's start to the gate.
    accepted : Constant
        Factor on ``accepted_by_snr``, whose range holds those of the conditions.
    accepted_by_snr : mapping of bool to tuple of (float, float)
        Share of known music accepted with eight seconds, by level in dB; in rooms (True) or not.
    accepted_by_length : tuple of (float, float)
        The same against eight seconds, by seconds of the song in the buffer.
    unknown_accepted, noise_accepted : Constant
        Share of unknown music, and of other sounds, that is given a name.
    second_stage_per_h : mapping of str to Constant
        Runs of the detector's second stage an hour of "music", of "other" sound and of "quiet"; empty where the
        detector has one stage.
    recall_factor : float >= 0
        Changes the recall at all levels alike.
    """

    title: str
    source: str
    false_triggers_per_h: Mapping[str, Constant]
    recall: Mapping[float, Constant]
    delays_s: tuple[float, ...]
    accepted: Constant
    accepted_by_snr: Mapping[bool, tuple[tuple[float, float], ...]]
    accepted_by_length: tuple[tuple[float, float], ...]
    unknown_accepted: Constant
    noise_accepted: Constant
    second_stage_per_h: Mapping[str, Constant] = field(default_factory=dict)
    recall_factor: float = 1.0

    @classmethod
    def load(
        cls,
        detector: str | Path | ModelFolder = SHIPPED_DETECTOR,
        fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
    ) -> "ErrorRates":
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
        return cls(
            title=f"measured on {listener.manifest['name']} and {prints.manifest['name']}",
            source=f"{_METRICS} of {listener.path.name} and of {prints.path.name}",
            **_detector_rates(listener),
            **_recognizer_rates(prints),
        )

    def false_per_h(self, sound: str) -> float:
        """Return false wake-ups an hour of a kind of sound without music."""
        return self.false_triggers_per_h[sound].value

    def recall_at(self, snr_db: float) -> float:
        """Return the share of regions found at a level; steps beyond those measured count as the nearest."""
        step = max((low for low in self.recall if low <= snr_db), default=min(self.recall))
        below_db = min(self.recall) - snr_db
        # Below the lowest measured level, recall falls to zero within ten decibels.
        fading = 1.0 if below_db <= 0 else max(0.0, 1.0 - below_db / _LOST_DB)
        return min(1.0, self.recall_factor * self.recall[step].value * fading)

    def delay_s(self, rng: np.random.Generator) -> float:
        """Draw the time from the music's start to the gate."""
        return float(np.interp(rng.random(), np.linspace(0, 1, len(self.delays_s)), self.delays_s))

    def accepted_at(self, snr_db: float, song_s: float, *, room: bool) -> float:
        """Return how often known music is named right.

        Parameters
        ----------
        snr_db : float
        song_s : float in [0, 8], seconds
            How much of the buffer is this song.
        room : bool
        """
        points = self.accepted_by_snr[room]
        lowest_db = points[0][0]
        levels, shares = zip(*((lowest_db - _LOST_DB, 0.0), *points), strict=True)
        at_eight_s = float(np.interp(snr_db, levels, shares))
        lengths, parts = zip(*self.accepted_by_length, strict=True)
        return min(1.0, self.accepted.value * at_eight_s * float(np.interp(song_s, lengths, parts)))

    def without_names(self) -> "ErrorRates":
        """Return the rates with a database that holds nothing: no sound is given a name."""
        names = ("unknown_accepted", "noise_accepted")
        return replace(self, **{name: replace(getattr(self, name), value=0.0) for name in names})

    def with_value(self, name: str, value: float) -> "ErrorRates":
        """Return the rates with one changed: that of false triggers for all sounds but quiet."""
        match name:
            case "false_triggers_per_h":
                same = {
                    sound: one if sound == "quiet" else one.at(value)
                    for sound, one in self.false_triggers_per_h.items()
                }
                return replace(self, false_triggers_per_h=same)
            case "recall_factor":
                return replace(self, recall_factor=value)
        return replace(self, **{name: getattr(self, name).at(value)})

    def constants(self) -> dict[str, Constant]:
        """Return every rate with its interval and source."""
        listed = {f"false wake-ups an hour, {sound}": one for sound, one in self.false_triggers_per_h.items()}
        listed |= {f"recall from {low:g} dB": one for low, one in self.recall.items()}
        listed |= {f"runs of the second stage an hour, {kind}": one for kind, one in self.second_stage_per_h.items()}
        listed["accepted, factor"] = self.accepted
        listed["unknown music given a name"] = self.unknown_accepted
        listed["other sound given a name"] = self.noise_accepted
        return listed


def published_rates(like: ErrorRates) -> ErrorRates:
    """Return the detector of Now Playing at its one published operating point, with another's recognizer."""

    def constant(value: float) -> Constant:
        return Constant(value=value, low=value, high=value, source=_NOW_PLAYING, certainty="V")

    per_h = {sound: constant(0.0 if sound == "quiet" else 3.0) for sound in SOUNDS}
    return replace(
        like,
        title="published for Now Playing",
        source=f"{_NOW_PLAYING}: one false wake-up in 20 minutes of sound that is not silent, recall 0.755",
        false_triggers_per_h=per_h,
        recall=dict.fromkeys(_SNR_STEPS_DB, constant(0.755)),
        second_stage_per_h={},  # its detector has one stage
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
        "recall": dict(sorted(by_snr.items())) or dict.fromkeys(_SNR_STEPS_DB, recall),
        "second_stage_per_h": runs_per_h,
        # Evenly spaced quantiles; the file states the median and one more.
        "delays_s": (0.5 * median_s, 0.8 * median_s, median_s, (median_s + slow_s) / 2, 1.5 * slow_s),
    }


def _second_stage_per_h(folder: ModelFolder, metrics: Mapping[str, Any]) -> dict[str, Constant]:
    """Return the runs of a second stage an hour; where they were not measured, at every output but in silence."""
    if "cascade" not in folder.manifest:
        return {}
    most = dict(zip(SECOND_STAGE_KINDS, (_OUTPUTS_PER_H, _OUTPUTS_PER_H, 0.0), strict=True))
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
