"""What happens in the phone: its states, and events with a time stamp."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Event", "EventKind", "State"]


class State(StrEnum):
    """What the phone is doing; the DSP listens in all of them but ``PAUSED`` and ``OFF``."""

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


class EventKind(StrEnum):
    """What an event tells.

    ``STATE`` has "from", "to" and "reason"; ``PROBABILITY`` has "probability", "smoothed" and "gate_is_open";
    ``RECOGNIZED`` has "track_id", "title", "artist", "source", "offset_s", "score", "buffer_s", "asked_at_s" (the
    buffer's end), "latency_ms" and "n_fingerprints"; ``UNKNOWN`` has the last four; ``SKIPPED`` has "reason".
    In a day without sound, answers have "cause" (what was really to be heard) instead of what only sound can tell.
    """

    STATE = "state"
    PROBABILITY = "probability"
    RECOGNIZED = "recognized"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"

    @property
    def is_answer(self) -> bool:
        """Whether the application processor was woken for it."""
        return self in {EventKind.RECOGNIZED, EventKind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    time_s : float >= 0, seconds
        On the simulation's clock, since the source or the day began. Only ``data["latency_ms"]`` is measured time;
        everything else is the same in every run on the same sound.
    kind : EventKind
    data : mapping
        See `EventKind`.
    """

    time_s: float
    kind: EventKind
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one flat JSON object."""
        return {"time_s": round(self.time_s, 3), "event": str(self.kind), **self.data}
