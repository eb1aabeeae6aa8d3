"""The two models' error rates, in place of the models themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.days.scenes import SOUNDS
from simulator.energy.constants import Constant

__all__ = ["SNR_STEPS_DB", "ErrorRates", "published_rates"]

SNR_STEPS_DB = (0.0, 5.0, 10.0, 15.0)
"""Lower ends of the steps of 5 dB, where recall was not measured for steps of its own."""

_NOW_PLAYING = "Agüera y Arcas et al., arXiv:1711.10958, sec. 4"
_LOST_DB = 10.0  # this far below the quietest measured condition nothing is recognized


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
        recall=dict.fromkeys(SNR_STEPS_DB, constant(0.755)),
        second_stage_per_h={},  # its detector has one stage
    )
