"""From probabilities to a decision to wake the phone: average, two thresholds, consecutive hits, and when to rest."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from nowplaying_core.errors import ConfigError

__all__ = ["STEPS", "Gate", "GateConfig", "GateEvent"]

STEPS: Final = 256
"""A probability is a whole number of 256ths, as the int8 network puts it out; the gate sums those."""

_OPTIONAL = ("back_off_factor", "longest_rest_s", "silence_dbfs")  # manifests of the first release lack them


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """Settings of the gate.

    Attributes
    ----------
    window : int >= 1
        Probabilities, one every 640 ms, in the sliding average.
    enter_threshold, leave_threshold : float in [0, 1]
        The average must reach the first to count as a hit for music, and fall below the second for music to be over.
    consecutive_hits : int >= 1
        Hits in a row that make music.
    cool_down_s : float >= 0
        Least time between two wake-ups.
    back_off_factor : float >= 1
        How many times longer the gate rests after each further recognition in a row that found nothing.
    longest_rest_s : float >= 0
        The longest that it rests, for whatever reason.
    silence_dbfs : float or None
        640 ms whose every 10 ms lie below this level count as silence, and the network is left out; None for never.
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
        for name in ("window", "consecutive_hits"):
            if not 1 <= getattr(self, name) <= 1_000:
                message = f"gate: {name} must lie in [1, 1000], found {getattr(self, name)}"
                raise ConfigError(message)
        if not 0 <= self.leave_threshold <= self.enter_threshold <= 1:
            message = (
                "gate: need 0 <= leave_threshold <= enter_threshold <= 1, "
                f"found {self.leave_threshold} and {self.enter_threshold}"
            )
            raise ConfigError(message)
        for name in ("cool_down_s", "longest_rest_s"):
            if not 0 <= getattr(self, name) < float("inf"):
                message = f"gate: {name} must be finite and not negative, found {getattr(self, name)}"
                raise ConfigError(message)
        if not 1 <= self.back_off_factor <= 100:
            message = f"gate: back_off_factor must lie in [1, 100], found {self.back_off_factor}"
            raise ConfigError(message)
        if self.silence_dbfs is not None and not -100 <= self.silence_dbfs <= 0:
            message = f"gate: silence_dbfs must lie in [-100, 0] or be null, found {self.silence_dbfs}"
            raise ConfigError(message)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "GateConfig":
        """Read settings from a manifest's ``gate`` table; unknown and missing keys are errors.

        The three settings that the first release did not have may be missing, and then do nothing.
        """
        names = {item.name for item in fields(cls)}
        if not names - set(_OPTIONAL) <= set(table) <= names:
            message = f"gate: expected the keys {sorted(names)}, found {sorted(table)}; restore the manifest"
            raise ConfigError(message)
        whole = ("window", "consecutive_hits")
        values: dict[str, Any] = {
            name: int(value) if name in whole else value if value is None else float(value)
            for name, value in table.items()
        }
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the manifest."""
        return asdict(self)

    @property
    def enter_sum(self) -> int:
        """Least sum of a window's outputs, in 256ths, that is a hit: what firmware compares with."""
        return _least_sum(self.enter_threshold, self.window)

    @property
    def leave_sum(self) -> int:
        """Least sum of a window's outputs with which music goes on."""
        return _least_sum(self.leave_threshold, self.window)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateEvent:
    """What the gate makes of one more probability.

    Attributes
    ----------
    time_s : float
    probability : float in [0, 1]
        The average over the window.
    is_open : bool
        Whether the gate takes what it hears for music.
    entered, left : bool
        Whether that changed at this step.
    opened : bool
        Whether the phone should wake now: music has begun, or goes on after the gate has rested.
    """

    time_s: float
    probability: float
    is_open: bool
    entered: bool
    left: bool
    opened: bool

    @property
    def state(self) -> Literal["quiet", "music"]:
        """The gate's state in a word."""
        return "music" if self.is_open else "quiet"


class Gate:
    """Decides, one probability after another, when the application processor is worth waking.

    A new gate hears silence: what is missing in its first window counts as probability 0. After each wake-up it rests
    for the cool-down. Told what the phone made of the sound (``answered``), it also rests until the song that was
    recognized should be over, unless the music stops before, and longer and longer while recognitions fail.

    Parameters
    ----------
    config : GateConfig
    """

    def __init__(self, config: GateConfig) -> None:
        self.config = config
        self._enter_sum, self._leave_sum = config.enter_sum, config.leave_sum
        self.reset()

    def reset(self) -> None:
        """Forget all probabilities, the state, the rest and the failures."""
        self._recent: deque[int] = deque(maxlen=self.config.window)
        self._sum = self._hits = 0
        self._is_music = False
        self._rests_until_s = self._song_until_s = float("-inf")
        self._n_failures = 0
        self._left_s = float("-inf")

    def step(self, time_s: float, probability: float) -> GateEvent:
        """Take one probability in.

        Parameters
        ----------
        time_s : float
            When it was known; must not go back.
        probability : float in [0, 1]
            Rounded to 256ths.
        """
        config = self.config
        if len(self._recent) == config.window:
            self._sum -= self._recent[0]
        self._recent.append(round(probability * STEPS))
        self._sum += self._recent[-1]
        was_music = self._is_music
        self._hits = self._hits + 1 if self._sum >= self._enter_sum else 0
        if was_music:
            self._is_music = self._sum >= self._leave_sum
        else:
            self._is_music = self._hits >= config.consecutive_hits
        entered, left = self._is_music and not was_music, was_music and not self._is_music
        if left:
            # The song broke off: its length no longer says when to listen again.
            self._song_until_s, self._left_s = float("-inf"), time_s
        if entered and time_s - self._left_s >= config.cool_down_s:
            self._n_failures = 0  # other music than that which could not be recognized
        rested = time_s >= max(self._rests_until_s, self._song_until_s)
        # A cool-down of zero wakes once for each stretch of music; otherwise music that goes on wakes again.
        opened = self._is_music and rested and (entered or config.cool_down_s > 0)
        if opened:
            self._rests_until_s = time_s + config.cool_down_s
        return GateEvent(
            time_s=time_s,
            probability=self._sum / (STEPS * config.window),
            is_open=self._is_music,
            entered=entered,
            left=left,
            opened=opened,
        )

    def answered(self, time_s: float, rest_of_song_s: float | None) -> None:
        """Take in what the phone recognized after a wake-up.

        Parameters
        ----------
        time_s : float
            When the answer came.
        rest_of_song_s : float or None
            Until the recognized song should be over, 0 when its length is not known; None when nothing was recognized.
        """
        config = self.config
        if rest_of_song_s is not None:
            self._n_failures = 0
            self._song_until_s = time_s + min(max(0.0, rest_of_song_s), config.longest_rest_s)
            return
        # The first failure rests for the cool-down, each further one longer by the factor.
        rest_s = min(config.cool_down_s * config.back_off_factor**self._n_failures, config.longest_rest_s)
        self._rests_until_s = max(self._rests_until_s, time_s + rest_s)
        self._n_failures += 1


def _least_sum(threshold: float, window: int) -> int:
    # A threshold written in decimals is no exact binary number: what misses the next sum by rounding alone is that sum.
    return math.ceil(threshold * window * STEPS - 1e-6)
