"""From probabilities to a decision to wake the phone: average, two thresholds, consecutive hits, cool-down."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from nowplaying.errors import ConfigError

__all__ = ["Gate", "GateConfig", "GateEvent"]


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
    """

    window: int = 4
    enter_threshold: float = 0.8
    leave_threshold: float = 0.5
    consecutive_hits: int = 2
    cool_down_s: float = 60.0

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
        if not 0 <= self.cool_down_s < float("inf"):
            message = f"gate: cool_down_s must be finite and not negative, found {self.cool_down_s}"
            raise ConfigError(message)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "GateConfig":
        """Read settings from a manifest's ``gate`` table; unknown and missing keys are errors."""
        names = {item.name for item in fields(cls)}
        if set(table) != names:
            message = f"gate: expected the keys {sorted(names)}, found {sorted(table)}; restore the manifest"
            raise ConfigError(message)
        return cls(
            window=int(table["window"]),
            enter_threshold=float(table["enter_threshold"]),
            leave_threshold=float(table["leave_threshold"]),
            consecutive_hits=int(table["consecutive_hits"]),
            cool_down_s=float(table["cool_down_s"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the manifest."""
        return asdict(self)


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
        Whether the phone should wake now: music has begun, or goes on after the cool-down.
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

    A new gate hears silence: what is missing in its first window counts as probability 0.

    Parameters
    ----------
    config : GateConfig
    """

    def __init__(self, config: GateConfig) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forget all probabilities, the state and the cool-down."""
        self._recent: deque[float] = deque(maxlen=self.config.window)
        self._hits = 0
        self._is_music = False
        self._last_opened_s: float | None = None

    def step(self, time_s: float, probability: float) -> GateEvent:
        """Take one probability in.

        Parameters
        ----------
        time_s : float
            When it was known; must not go back.
        probability : float in [0, 1]
        """
        config = self.config
        self._recent.append(probability)
        average = sum(self._recent) / config.window
        was_music = self._is_music
        self._hits = self._hits + 1 if average >= config.enter_threshold else 0
        if was_music:
            self._is_music = average >= config.leave_threshold
        else:
            self._is_music = self._hits >= config.consecutive_hits
        rested = self._last_opened_s is None or time_s - self._last_opened_s >= config.cool_down_s
        entered = self._is_music and not was_music
        # A cool-down of zero wakes once for each stretch of music; otherwise music that goes on wakes again.
        opened = self._is_music and rested and (entered or config.cool_down_s > 0)
        if opened:
            self._last_opened_s = time_s
        return GateEvent(
            time_s=time_s,
            probability=average,
            is_open=self._is_music,
            entered=entered,
            left=was_music and not self._is_music,
            opened=opened,
        )
