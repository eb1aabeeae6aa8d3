"""Events of the phone, each with a time stamp, and the answers of its application processor."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ondevice_db.answer import Match

__all__ = [
    "ANSWER",
    "RECHECK",
    "Answer",
    "Answered",
    "Event",
    "Looked",
    "MusicProbability",
    "Skipped",
    "State",
    "StateChange",
]

ANSWER, RECHECK = "answer", "recheck"
"""Kinds of wake-up: one that ends in an answer, and one that a second look at the sound ends before."""


class State(StrEnum):
    """States of the phone; the DSP listens in all of them but ``PAUSED`` and ``OFF``."""

    OFF = "off"
    LISTENING = "listening"
    CAPTURING = "capturing"
    RECOGNIZING = "recognizing"
    COOLING_DOWN = "cooling_down"
    PAUSED = "paused"

    @property
    def dsp_is_on(self) -> bool:
        """Whether the detector draws current."""
        return self not in {State.OFF, State.PAUSED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The application processor's answer to one buffer.

    Attributes
    ----------
    buffer_s : float >= 0, seconds
        Length of the buffer.
    match : Match or None
        None is "unknown".
    latency_ms : float >= 0, milliseconds
        Measured on the desktop; everything else is the same in every run on the same sound.
    n_fingerprints : int >= 0
    work : str
        ``ANSWER`` or ``RECHECK``.
    cause : str
        The sound that caused the wake-up, where it is known.
    recorded_s : float >= 0, seconds
        How long the processor itself recorded.
    song : int or None
        In a simulated day: number of the song that was playing.
    is_right : bool
        In a simulated day: whether the match is that song.
    """

    buffer_s: float
    match: Match | None = None
    latency_ms: float = 0.0
    n_fingerprints: int = 0
    work: str = ANSWER
    cause: str = "sound"
    recorded_s: float = 0.0
    song: int | None = None
    is_right: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StateChange:
    """The phone does something else now."""

    kind: ClassVar[str] = "state"
    time_s: float
    before: State
    after: State
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        return _stamp(self) | {"from": str(self.before), "to": str(self.after), "reason": self.reason}


@dataclass(frozen=True, kw_only=True, slots=True)
class MusicProbability:
    """The detector has decided on one more window.

    Attributes
    ----------
    time_s : float, seconds
    probability, smoothed : float in [0, 1]
        P(music) of the newest window, and the gate's average of the last few.
    gate_is_open : bool
    music_since_s : float or None, seconds
        When the first window of the present run of music was complete.
    """

    kind: ClassVar[str] = "probability"
    time_s: float
    probability: float
    smoothed: float
    gate_is_open: bool
    music_since_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        values = {"probability": round(self.probability, 4), "smoothed": round(self.smoothed, 4)}
        return _stamp(self) | values | {"gate_is_open": self.gate_is_open}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The processor has answered; the buffer ended at ``asked_at_s``."""

    time_s: float
    asked_at_s: float
    answer: Answer

    @property
    def match(self) -> Match | None:
        """The song, or None where it is unknown."""
        return self.answer.match

    @property
    def kind(self) -> str:
        """Either "recognized" or "unknown"."""
        return "unknown" if self.answer.match is None else "recognized"

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        answer, match = self.answer, self.answer.match
        song = {} if match is None else match.to_dict() | {"offset_s": match.offset_s, "score": match.score}
        return _stamp(self) | _query_fields(answer, self.asked_at_s) | song


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """An early look found nothing in a buffer that is not full of music yet; the phone goes on capturing."""

    kind: ClassVar[str] = "looked"
    time_s: float
    asked_at_s: float
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        return _stamp(self) | _query_fields(self.answer, self.asked_at_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """Music was left alone: "cool_down", or "same_song" until ``until_s``."""

    kind: ClassVar[str] = "skipped"
    time_s: float
    reason: str
    until_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        until = {} if self.until_s is None else {"until_s": self.until_s}
        return _stamp(self) | {"reason": self.reason} | until


Event = StateChange | MusicProbability | Answered | Looked | Skipped
"""Something that happened; ``time_s`` counts seconds since the sound or the day began."""


def _query_fields(answer: Answer, asked_at_s: float) -> dict[str, float]:
    return {
        "latency_ms": answer.latency_ms,
        "n_fingerprints": answer.n_fingerprints,
        "buffer_s": answer.buffer_s,
        "asked_at_s": asked_at_s,
    }


def _stamp(event: Event) -> dict[str, Any]:
    return {"time_s": round(event.time_s, 3), "event": event.kind}
