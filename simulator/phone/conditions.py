"""When the phone must not listen: it plays sound itself, a call is on, it is bedtime, or the battery is low."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nowplaying_core.errors import ConfigError

__all__ = ["Condition", "PauseReason", "PhoneConditions"]

_DAY_S = 86_400.0


class PauseReason(StrEnum):
    """Why the phone does not listen."""

    OWN_PLAYBACK = "own_playback"
    CALL = "call"
    BEDTIME = "bedtime"
    BATTERY_SAVER = "battery_saver"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One stretch of time in which the phone does not listen.

    Attributes
    ----------
    reason : PauseReason
    start_s, end_s : float >= 0, seconds
        Since the source began; for a daily condition, seconds since midnight. A daily condition whose end comes
        before its start runs over midnight.
    daily : bool
        Whether it comes back every day, as bedtime does.
    """

    reason: PauseReason
    start_s: float
    end_s: float
    daily: bool = False

    def __post_init__(self) -> None:
        limit_s = _DAY_S if self.daily else float("inf")
        if not (0 <= self.start_s <= limit_s and 0 <= self.end_s <= limit_s):
            message = f"{self.reason}: expected times from 0 to {limit_s:g} s, found {self.start_s} and {self.end_s}"
            raise ConfigError(message)
        if not self.daily and self.end_s <= self.start_s:
            message = f"{self.reason}: expected an end after its start, found {self.start_s} to {self.end_s} s"
            raise ConfigError(message)

    def holds_at(self, time_s: float, clock_s: float) -> bool:
        """Return whether it holds at a time since the source began, which is ``clock_s`` seconds since midnight."""
        if not self.daily:
            return self.start_s <= time_s < self.end_s
        if self.start_s <= self.end_s:
            return self.start_s <= clock_s < self.end_s
        return clock_s >= self.start_s or clock_s < self.end_s


@dataclass(frozen=True, slots=True)
class PhoneConditions:
    """A plan of conditions on the clock of the source.

    Attributes
    ----------
    conditions : sequence of Condition
        The first that holds gives the reason.
    clock_start_s : float, seconds since midnight
        Time of day at which the source begins; matters for daily conditions only.
    """

    conditions: Sequence[Condition] = ()
    clock_start_s: float = 12 * 3600.0

    def reason_at(self, time_s: float) -> PauseReason | None:
        """Return why the phone must not listen, or None."""
        clock_s = (self.clock_start_s + time_s) % _DAY_S
        return next((one.reason for one in self.conditions if one.holds_at(time_s, clock_s)), None)
