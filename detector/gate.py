"""From probabilities to the decision that music is playing: moving average, two thresholds, consecutive hits."""

import math
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import construct, require_between

__all__ = ["STEPS", "Gate", "GateConfig", "GateEvent"]

STEPS: Final = 256
"""The int8 network outputs probabilities in steps of 1/256; the gate sums those whole steps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """Settings of the gate, and of the rests after a wake-up, as a detector's manifest holds them.

    The gate itself uses the first four. The phone's policy (:mod:`simulator.phone.config`) uses the three about rests,
    and :class:`detector.stream.StreamingDetector` uses ``silence_dbfs``.

    Attributes
    ----------
    window : int in [1, 1000]
        Number of probabilities, one every 640 ms, in the moving average.
    enter_threshold, leave_threshold : float in [0, 1]
        Music begins when the average reaches the first and ends when it falls below the second.
    consecutive_hits : int in [1, 1000]
        Number of averages in a row that must reach ``enter_threshold`` before music begins.
    cool_down_s : float >= 0, seconds
        Shortest time between two wake-ups.
    back_off_factor : float in [1, 100]
        Factor by which the rest grows with each further recognition in a row that finds nothing.
    longest_rest_s : float >= 0, seconds
        Longest rest for any reason.
    silence_dbfs : float in [-100, 0] or None
        The network is not run while every 10 ms of the last 640 ms lie below this level; None: it always runs.

    Raises
    ------
    ConfigError
        When a value is out of its range.
    """

    window: int = 4
    enter_threshold: float = 0.8
    leave_threshold: float = 0.5
    consecutive_hits: int = 2
    cool_down_s: float = 60.0
    back_off_factor: float = 1.0
    longest_rest_s: float = 600.0
    silence_dbfs: float | None = None

    def __post_init__(self) -> None:
        for low, high, names in (
            (1, 1_000, ("window", "consecutive_hits")),
            (0, 1, ("enter_threshold",)),
            (0, self.enter_threshold, ("leave_threshold",)),
            (0, sys.float_info.max, ("cool_down_s", "longest_rest_s")),
            (1, 100, ("back_off_factor",)),
            (-100, 0, () if self.silence_dbfs is None else ("silence_dbfs",)),
        ):
            require_between(self, low, high, *names, table="gate")

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "GateConfig":
        """Read settings from the ``gate`` table of a manifest.

        Raises
        ------
        ConfigError
            When a key is missing or unknown, or a value is out of its range.
        """
        names = {item.name for item in fields(cls)}
        if names != set(table):
            message = f"gate: expected the keys {sorted(names)}, found {sorted(table)}; restore the manifest"
            raise ConfigError(message)
        config: GateConfig = construct(cls, dict(table))
        return config

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as the manifest holds them."""
        return asdict(self)

    @property
    def enter_sum(self) -> int:
        """Smallest sum of a window's outputs, in 256ths, that counts as a hit. Firmware compares with this number."""
        return _least_sum(self.enter_threshold, self.window)

    @property
    def leave_sum(self) -> int:
        """Smallest sum of a window's outputs, in 256ths, with which music goes on."""
        return _least_sum(self.leave_threshold, self.window)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateEvent:
    """State of the gate after one more probability.

    Attributes
    ----------
    probability : float in [0, 1]
        Average over the window.
    is_open : bool
        Whether music is playing.
    entered, left : bool
        Whether music began or ended at this step.
    """

    probability: float
    is_open: bool
    entered: bool
    left: bool


class Gate:
    """Decides whether music is playing, one probability after another.

    A new gate starts in silence: a window that is not full yet is filled up with probability 0.

    Parameters
    ----------
    config : GateConfig
    """

    def __init__(self, config: GateConfig) -> None:
        self.config = config
        self._enter_sum, self._leave_sum = config.enter_sum, config.leave_sum
        self.reset()

    def reset(self) -> None:
        """Forget all probabilities and the state."""
        self._recent: deque[int] = deque([0] * self.config.window, maxlen=self.config.window)
        self._sum = self._hits = 0
        self._is_music = False

    def step(self, probability: float) -> GateEvent:
        """Take one more probability in.

        Parameters
        ----------
        probability : float in [0, 1]
            Rounded to 256ths.
        """
        newest, was_music = round(probability * STEPS), self._is_music
        self._sum += newest - self._recent[0]
        self._recent.append(newest)
        self._hits = self._hits + 1 if self._sum >= self._enter_sum else 0
        if was_music:
            self._is_music = self._sum >= self._leave_sum
        else:
            self._is_music = self._hits >= self.config.consecutive_hits
        return GateEvent(
            probability=self._sum / (STEPS * self.config.window),
            is_open=self._is_music,
            entered=self._is_music and not was_music,
            left=was_music and not self._is_music,
        )


def _least_sum(threshold: float, window: int) -> int:
    # Most decimal thresholds are not exact in binary: allow for the rounding before taking the ceiling.
    return math.ceil(threshold * window * STEPS - 1e-6)
