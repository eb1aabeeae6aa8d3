"""From probabilities to the decision that music is playing: averages over two windows, thresholds, consecutive hits."""

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

    The gate itself uses the first six. The phone's policy (:mod:`simulator.phone.config`) uses the three about rests,
    and :class:`detector.stream.StreamingDetector` uses ``silence_dbfs``.

    Attributes
    ----------
    window : int in [1, 1000]
        Number of probabilities, one every 640 ms, in the moving average.
    enter_threshold, leave_threshold : float in [0, 1]
        Music begins when the average reaches the first and ends when it falls below the second.
    consecutive_hits : int in [1, 1000]
        Number of averages in a row that must reach ``enter_threshold`` before music begins.
    early_window : int in [1, window], or None
        Number of the newest probabilities whose average may open the gate at once, for music that is clear. None: only
        the long window opens it.
    early_threshold : float in [0, 1], or None
        What that average must reach. Music then goes on while either average is at ``leave_threshold`` or above.
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
        When a value is out of its range, or only one of the two early settings is given.
    """

    window: int = 4
    enter_threshold: float = 0.8
    leave_threshold: float = 0.5
    consecutive_hits: int = 2
    early_window: int | None = None
    early_threshold: float | None = None
    cool_down_s: float = 60.0
    back_off_factor: float = 1.0
    longest_rest_s: float = 600.0
    silence_dbfs: float | None = None

    def __post_init__(self) -> None:
        if (self.early_window is None) != (self.early_threshold is None):
            message = f"gate: expected early_window and early_threshold together, found {self.early_window} "
            raise ConfigError(message + f"and {self.early_threshold}; set both, or none")
        for low, high, names in (
            (1, 1_000, ("window", "consecutive_hits")),
            (0, 1, ("enter_threshold",)),
            (0, self.enter_threshold, ("leave_threshold",)),
            (1, self.window, () if self.early_window is None else ("early_window",)),
            (0, 1, () if self.early_threshold is None else ("early_threshold",)),
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

    @property
    def early_length(self) -> int:
        """Length of the early window; 1 where there is none, with sums that no window reaches."""
        return self.early_window or 1

    @property
    def early_enter_sum(self) -> int:
        """Smallest sum of the early window's outputs that opens the gate at once."""
        return STEPS + 1 if self.early_threshold is None else _least_sum(self.early_threshold, self.early_length)

    @property
    def early_leave_sum(self) -> int:
        """Smallest sum of the early window's outputs with which music goes on, whatever the long window says."""
        return STEPS + 1 if self.early_threshold is None else _least_sum(self.leave_threshold, self.early_length)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateEvent:
    """State of the gate after one more probability.

    Attributes
    ----------
    probability : float in [0, 1]
        Average over the (long) window.
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
        self._early_length = config.early_length
        self._early_enter_sum, self._early_leave_sum = config.early_enter_sum, config.early_leave_sum
        self.reset()

    def reset(self) -> None:
        """Forget all probabilities and the state."""
        self._recent: deque[int] = deque([0] * self.config.window, maxlen=self.config.window)
        self._sum = self._early_sum = self._hits = 0
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
        self._early_sum += newest - self._recent[-self._early_length]
        self._recent.append(newest)
        self._hits = self._hits + 1 if self._sum >= self._enter_sum else 0
        if was_music:
            self._is_music = self._sum >= self._leave_sum or self._early_sum >= self._early_leave_sum
        else:
            self._is_music = self._hits >= self.config.consecutive_hits or self._early_sum >= self._early_enter_sum
        return GateEvent(
            probability=self._sum / (STEPS * self.config.window),
            is_open=self._is_music,
            entered=self._is_music and not was_music,
            left=was_music and not self._is_music,
        )


def _least_sum(threshold: float, window: int) -> int:
    # Most decimal thresholds are not exact in binary: allow for the rounding before taking the ceiling.
    return math.ceil(threshold * window * STEPS - 1e-6)
