"""Music segments and wake-ups as they happen, for ``nowplaying detect --stream``."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from detector.gate import Gate, GateConfig
from detector.network import DECISION_S, WINDOW_S
from detector.stream import Decision

__all__ = ["LiveEvent", "LiveSegments"]

_HALF_WINDOW_S: Final = WINDOW_S / 2  # the first window that is likely to count as music is half filled with it


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveEvent:
    """A change in a stream.

    Attributes
    ----------
    event : {"begin", "wake", "end"}
        Music has begun; a phone would wake up; music has ended.
    time_s : float, seconds
        When this was known.
    start_s : float, seconds
        When the music began, to about a second.
    end_s : float or None, seconds
        When it ended; None unless ``event`` is "end".
    probability : float in [0, 1]
        The gate's average; with "end" the mean over the music.
    """

    event: Literal["begin", "wake", "end"]
    time_s: float
    start_s: float
    end_s: float | None
    probability: float


class LiveSegments:
    """Follows a detector's decisions through a gate.

    A wake-up comes when music begins, and again while it goes on, but never before ``cool_down_s`` have passed since
    the last one. With a cool-down of 0 there is one wake-up for each stretch of music.

    Parameters
    ----------
    config : GateConfig
    """

    def __init__(self, config: GateConfig) -> None:
        self._config = config
        self._gate = Gate(config)
        self._since_s: float | None = None
        self._sum, self._n = 0.0, 0  # of the probabilities since then
        self._last_s = 0.0
        self._rests_until_s = float("-inf")
        self._is_open = False

    def process(self, decisions: Iterable[Decision]) -> Iterator[LiveEvent]:
        """Yield the events that new decisions cause."""
        for decision in decisions:
            yield from self._step(decision)

    def finish(self, time_s: float) -> Iterator[LiveEvent]:
        """End the stream; music that still plays ends with it."""
        if self._is_open:
            self._last_s = time_s + _HALF_WINDOW_S
            yield self._end(time_s)

    def _step(self, decision: Decision) -> Iterator[LiveEvent]:
        gate = self._gate.step(decision.probability)
        self._is_open = gate.is_open
        if decision.probability >= self._config.leave_threshold:
            self._last_s = decision.time_s
            if self._since_s is None:
                self._since_s, self._sum, self._n = decision.time_s, 0.0, 0
        elif not (gate.is_open or gate.left) and decision.time_s - self._last_s >= self._config.window * DECISION_S:
            # The last probability above the threshold has left the gate's window.
            self._since_s = None
        if self._since_s is not None:
            self._sum += decision.probability
            self._n += 1
        if gate.entered:
            yield self._event("begin", decision.time_s, gate.probability)
        cool_down_s = self._config.cool_down_s
        if gate.is_open and decision.time_s >= self._rests_until_s and (gate.entered or cool_down_s > 0):
            self._rests_until_s = decision.time_s + cool_down_s
            yield self._event("wake", decision.time_s, gate.probability)
        if gate.left:
            yield self._end(decision.time_s)

    def _event(self, event: Literal["begin", "wake"], time_s: float, probability: float) -> LiveEvent:
        return LiveEvent(event=event, time_s=time_s, start_s=self._start_s(), end_s=None, probability=probability)

    def _start_s(self) -> float:
        return max(0.0, (self._since_s or 0.0) - _HALF_WINDOW_S)

    def _end(self, time_s: float) -> LiveEvent:
        start_s = self._start_s()
        end_s = max(start_s, self._last_s - _HALF_WINDOW_S)
        self._since_s = None
        mean = self._sum / max(1, self._n)
        return LiveEvent(event="end", time_s=time_s, start_s=start_s, end_s=end_s, probability=mean)
