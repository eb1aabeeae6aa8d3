"""Music segments as they happen: the gate's events, with the times at which the music itself began and ended."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from detector.gate import Gate, GateConfig
from detector.stream import Decision

__all__ = ["LiveEvent", "LiveSegments"]

_HALF_WINDOW_S = 2.24  # a window that is half music is the first one likely to be called music


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveEvent:
    """Something worth telling.

    Attributes
    ----------
    event : {"begin", "wake", "end"}
        Music has begun; the phone should wake; music is over.
    time_s : float
        When that was known.
    start_s : float
        When the music began, to about a second.
    end_s : float or None
        When it ended; with "end" only.
    probability : float in [0, 1]
        The gate's average now, or with "end" the mean over the music.
    """

    event: Literal["begin", "wake", "end"]
    time_s: float
    start_s: float
    end_s: float | None
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class LiveSegments:
    """Follows a detector's decisions through a gate.

    Parameters
    ----------
    config : GateConfig
    """

    def __init__(self, config: GateConfig) -> None:
        self._config = config
        self._gate = Gate(config)
        self._since_s: float | None = None
        self._last_s = 0.0
        self._inside: list[float] = []
        self._is_open = False

    def process(self, decisions: Iterable[Decision]) -> Iterator[LiveEvent]:
        """Yield what new decisions bring about."""
        for decision in decisions:
            yield from self._step(decision)

    def finish(self, time_s: float) -> Iterator[LiveEvent]:
        """End the stream: music that still plays ends with it."""
        if self._is_open:
            self._last_s = time_s + _HALF_WINDOW_S
            yield self._end(time_s)

    def _step(self, decision: Decision) -> Iterator[LiveEvent]:
        event = self._gate.step(decision.time_s, decision.probability)
        if decision.probability >= self._config.leave_threshold:
            self._last_s = decision.time_s
            if self._since_s is None:
                self._since_s = decision.time_s
        elif not (event.is_open or event.left) and decision.time_s - self._last_s >= self._config.window * 0.64:
            # What was above the threshold is too long ago to count for the gate.
            self._since_s = None
            self._inside.clear()
        if self._since_s is not None:
            self._inside.append(decision.probability)
        if event.entered:
            self._is_open = True
            yield LiveEvent(
                event="begin", time_s=event.time_s, start_s=self._start_s(), end_s=None, probability=event.probability
            )
        if event.opened:
            yield LiveEvent(
                event="wake", time_s=event.time_s, start_s=self._start_s(), end_s=None, probability=event.probability
            )
        if event.left:
            yield self._end(event.time_s)

    def _start_s(self) -> float:
        return max(0.0, (self._since_s or 0.0) - _HALF_WINDOW_S)

    def _end(self, time_s: float) -> LiveEvent:
        mean = sum(self._inside) / max(1, len(self._inside))
        start_s = self._start_s()
        end_s = max(start_s, self._last_s - _HALF_WINDOW_S)
        self._since_s, self._is_open = None, False
        self._inside.clear()
        return LiveEvent(event="end", time_s=time_s, start_s=start_s, end_s=end_s, probability=mean)
