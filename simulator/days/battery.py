"""The battery over a day: it is charged at night, everything else on the device empties it, and so it may run low."""

from collections.abc import Iterator

from simulator.days.plan import Dwell
from simulator.days.scenes import Assumptions

__all__ = ["charge_over_day"]

_STEP_S = 600.0
_CHARGING_PERCENT_PER_H = 40.0
_ASLEEP_PERCENT_PER_H = 0.5


def charge_over_day(
    dwells: list[Dwell], assumptions: Assumptions, own_percent_per_h: float
) -> list[tuple[float, float]]:
    """Return the charge in percent every ten minutes.

    The day begins with the charge with which a day like it ends. Charging at 40 % an hour and 0.5 % an hour asleep
    are assumptions to which nothing here is sensitive.

    Parameters
    ----------
    dwells : list of Dwell
    assumptions : Assumptions
    own_percent_per_h : float >= 0
        What music recognition takes.

    Returns
    -------
    list of (float, float)
        Seconds since midnight and percent, in order of time.
    """
    *_, (_, percent) = _charge(dwells, 100.0, assumptions, own_percent_per_h)
    return list(_charge(dwells, percent, assumptions, own_percent_per_h))


def _charge(
    dwells: list[Dwell], percent: float, assumptions: Assumptions, own_percent_per_h: float
) -> Iterator[tuple[float, float]]:
    yield 0.0, percent
    for dwell in dwells:
        asleep = dwell.charging or dwell.scene.name == "silent"
        rate = -own_percent_per_h - (_ASLEEP_PERCENT_PER_H if asleep else assumptions.awake_percent_per_h)
        if dwell.charging:
            rate += _CHARGING_PERCENT_PER_H
        time_s = dwell.start_s
        while time_s < dwell.end_s:
            step_s = min(_STEP_S, dwell.end_s - time_s)
            time_s += step_s
            percent = min(100.0, max(0.0, percent + rate * step_s / 3600))
            yield time_s, percent
