"""A study's days by their kind, on other devices, and with other always-on hardware."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.days.many import Days, Estimate
from simulator.days.scenes import load_scenarios
from simulator.days.study import Study
from simulator.days.summary import charge
from simulator.energy.always_on import AlwaysOnHardware
from simulator.energy.constants import Constant
from simulator.energy.costs import DAY_S
from simulator.energy.device import DeviceProfile

__all__ = ["AlwaysOnRow", "DeviceRow", "ScenarioRow", "always_on_row", "device_row", "scenario_rows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioRow:
    """A kind of day among those that were simulated; charge in mAh at both costs."""

    name: str
    title: str
    n_days: int
    published: Estimate | None
    modelled: Estimate
    wakes_per_day: float
    music_h: float
    recall: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceRow:
    """The same days on another device, at modelled costs."""

    name: str
    title: str
    mah: float
    battery_percent: float
    wake_j: float
    answer_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AlwaysOnRow:
    """The same days with other always-on hardware: power in mW, and charge and share of the battery at both its ends.

    The published system's share is that of the published wake-ups a day at their published cost.
    """

    title: str
    power: Constant
    low_mah: float
    high_mah: float
    low_percent: float
    high_percent: float
    published_low_percent: float | None
    published_high_percent: float | None


def scenario_rows(study: Study, days: Days) -> Iterator[ScenarioRow]:
    """Yield a row for each kind of day that is among the simulated ones."""
    scenarios = load_scenarios() if study.scenario is None else {study.scenario.name: study.scenario}
    for name, scenario in scenarios.items():
        own = days.only(name, scenario.title)
        if own is not None:
            yield ScenarioRow(
                name=name,
                title=scenario.title,
                n_days=len(own.records),
                published=None if study.published is None else charge(own, study.published),
                modelled=charge(own, study.modelled),
                wakes_per_day=own.mean(lambda record: record.usage.n_wakes),
                music_h=own.mean(lambda record: record.music_s) / 3600,
                recall=own.recall(),
            )


def device_row(study: Study, days: Days, name: str) -> DeviceRow:
    """Return what the days cost on another device."""
    device = DeviceProfile.load(name)
    costs = study.on(device).modelled
    mah = charge(days, costs).mean
    return DeviceRow(
        name=name,
        title=device.title,
        mah=mah,
        battery_percent=device.battery_percent_of_mah(mah),
        wake_j=costs.wake_j,
        answer_s=costs.answer_s,
    )


def always_on_row(study: Study, days: Days, hardware: AlwaysOnHardware) -> AlwaysOnRow:
    """Return what the days cost with other always-on hardware in the device."""
    device, power = study.device, hardware.power_mw(study.device)
    costs = study.modelled
    # The second stage runs on other hardware as well, and its energy was not published: it stays as modelled.
    listening_mj = days.mean(lambda record: record.usage.always_on_mj(costs))
    waking_mah = charge(days, costs).mean - device.mah(listening_mj)
    listened_s = days.mean(lambda record: record.usage.listened_s)
    mah = [waking_mah + device.mah(end * listened_s) for end in (power.low, power.high)]
    system: list[float | None] = [None, None]
    if device.published is not None:
        waking_mj = 1000 * device.published.wakes_per_day * device.published.wake_j
        system = [device.battery_percent(waking_mj + end * DAY_S) for end in (power.low, power.high)]
    return AlwaysOnRow(
        title=hardware.title,
        power=power,
        low_mah=mah[0],
        high_mah=mah[1],
        low_percent=device.battery_percent_of_mah(mah[0]),
        high_percent=device.battery_percent_of_mah(mah[1]),
        published_low_percent=system[0],
        published_high_percent=system[1],
    )
