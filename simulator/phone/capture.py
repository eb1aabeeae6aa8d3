"""When a capture ends, and when the phone looks at the buffer before."""

import math
from dataclasses import dataclass

from simulator.phone.config import PhoneConfig

__all__ = ["Capture"]

_LEAST_APART_S = 1.0
"""An early look that the last one would follow sooner is left out."""


@dataclass(frozen=True, slots=True)
class Capture:
    """The times of one capture, on the phone's clock.

    Attributes
    ----------
    began_s : float, seconds
        When the music began that the buffer is to hold.
    until_s : float, seconds
        When the buffer is full of it, or as full as the phone waits for.
    early_looks_s : tuple of float, ascending, seconds
        When to look before; times that are over already make one look at once.
    """

    began_s: float
    until_s: float
    early_looks_s: tuple[float, ...]

    @classmethod
    def plan(cls, config: PhoneConfig, now_s: float, music_since_s: float, *, is_afresh: bool) -> "Capture":
        """Plan a capture that begins now.

        Parameters
        ----------
        config : PhoneConfig
        now_s : float, seconds
        music_since_s : float, seconds
            When the first window of this run of music was complete.
        is_afresh : bool
            Whether the buffer is to hold what sounds from now on, and nothing before.
        """
        began_s = now_s if is_afresh else music_since_s - config.onset_in_window_s
        longest_s = config.buffer_s if is_afresh else config.max_capture_s
        until_s = _whole_steps(min(max(began_s + config.buffer_s, now_s), now_s + longest_s))
        times_s = {max(now_s, _whole_steps(began_s + seconds)) for seconds in config.early_looks_s}
        return cls(began_s, until_s, tuple(sorted(at_s for at_s in times_s if until_s - at_s >= _LEAST_APART_S)))


def _whole_steps(time_s: float) -> float:
    """Return the end of the DSP's 10 ms step in which a time lies: the buffer grows in whole steps."""
    return math.ceil(100.0 * time_s - 1e-6) / 100.0
