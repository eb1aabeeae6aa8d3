"""Simulated days as plain values: for JSON, for a terminal, for a page."""

from typing import Any

from simulator.days.many import Days, Estimate
from simulator.days.quantiles import weighted_quantiles
from simulator.days.recognizer_errors import MUSIC, OTHER_SOUND
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import LISTENING

__all__ = ["LATENCY_PARTS", "charge", "component_headings", "component_rows", "summarise"]

LATENCY_PARTS = ("until the detector is sure", "waiting", "filling the buffer", "answering")
_PERCENTILES = (5, 25, 50, 75, 90, 95)


def charge(days: Days, costs: CostModel) -> Estimate:
    """Return the charge of a day, in mAh."""
    return days.estimate(lambda record: costs.device.mah(record.usage.total_mj(costs)))


def summarise(days: Days, published: CostModel | None, modelled: CostModel) -> dict[str, Any]:
    """Return the figures of simulated days.

    Parameters
    ----------
    days : Days
    published : CostModel or None
        None where no cost of a wake-up was published for the device.
    modelled : CostModel

    Returns
    -------
    dict
        ``published`` (None where there is none) and ``modelled`` hold charge, energy and share of the battery a day
        and their parts at that cost of a wake-up. Intervals are None where days are too few.
    """
    device = modelled.device
    wakes = days.estimate(lambda record: record.usage.n_wakes)
    return {
        "device": device.name,
        "day": days.title,
        "n_days": len(days.records),
        "wakes_per_day": wakes.mean,
        "wakes_per_day_interval_95": wakes.interval,
        "early_looks_per_day": days.mean(lambda record: record.usage.n_early_looks),
        "false_wakes_per_day": days.mean(lambda record: record.usage.n_wakes_for(OTHER_SOUND)),
        "published": None if published is None else _charge(days, published),
        "modelled": {**_charge(days, modelled), "always_on": _always_on(days, modelled)},
        "sleeping_phone_mah": device.sleep.suspend_ma * 24.0,
        "music_h_per_day": days.mean(lambda record: record.music_s) / 3600,
        "songs": {
            "in_database": days.mean(lambda record: record.n_songs),
            "wrong_names": days.mean(lambda record: record.n_wrong),
            **{str(outcome): n for outcome, n in days.song_outcomes().items()},
        },
        "time_to_song_s": _latency(days),
    }


def _always_on(days: Days, costs: CostModel) -> dict[str, float] | None:
    """Return the range of the always-on current in mA, and the share of the battery a day at both its ends.

    None where the figure was stated without a range.
    """
    device, current = costs.device, costs.device.constants["dsp.detector_ma"]
    if not current.has_range:
        return None
    listened_s = days.mean(lambda record: record.usage.listened_s)
    percent = device.battery_percent(days.mean(lambda record: record.usage.total_mj(costs)))

    def at(end_ma: float) -> float:
        return percent + device.battery_percent(device.milliwatts(end_ma - current.value) * listened_s)

    return {
        "low_ma": current.low,
        "high_ma": current.high,
        "low_battery_percent": at(current.low),
        "high_battery_percent": at(current.high),
    }


def component_headings(modelled: dict[str, Any]) -> tuple[str, ...]:
    """Return the headings of `component_rows`."""
    return f"modelled, {modelled['wake_j']:.2f} J a wake-up", "mAh", "mWh", "J", "mean uA", "share"


def component_rows(modelled: dict[str, Any], device: DeviceProfile) -> list[tuple[str, ...]]:
    """Return a day by component, the largest first, and its total: charge, energy, mean current and share.

    Parameters
    ----------
    modelled : dict
        Of a summary.
    device : DeviceProfile
    """
    total = modelled["mah_per_day"]
    parts = sorted(modelled["components_mah"].items(), key=lambda item: -item[1])
    rows: list[tuple[str, ...]] = []
    for name, mah in [*parts, ("total", total)]:
        units = device.units_of_mah(mah)
        figures = f"{mah:.3f}", f"{units['mwh_per_day']:.2f}", f"{units['j_per_day']:.1f}", f"{units['mean_ua']:.1f}"
        rows.append((name, *figures, f"{100 * mah / total if total else 0.0:.0f} %"))
    rows.append(("of the battery", "", "", "", "", f"{modelled['battery_percent_per_day']:.3f} %"))
    return rows


def _charge(days: Days, costs: CostModel) -> dict[str, Any]:
    device, total = costs.device, charge(days, costs)
    percent = total.scaled(100.0 / device.battery.capacity_mah)

    def of(cause: str) -> float:
        return days.mean(lambda record: device.mah(record.usage.by_cause_mj(costs).get(cause, 0.0)))

    return {
        "wake_j": costs.wake_j,
        "mah_per_day": total.mean,
        "mah_per_day_interval_95": total.interval,
        "mah_per_day_p5_p95": total.nine_of_ten,
        **device.units_of_mah(total.mean),
        "battery_percent_per_day": percent.mean,
        "battery_percent_interval_95": percent.interval,
        "battery_percent_p5_p95": percent.nine_of_ten,
        "parts_mah": {
            "detector": of(LISTENING),
            "wakes_for_music": of(MUSIC),
            "wakes_for_other_sound": of(OTHER_SOUND),
        },
        "components_mah": _components(days, costs),
    }


def _components(days: Days, costs: CostModel) -> dict[str, float]:
    names = dict.fromkeys(name for record in days.records for name in record.usage.by_component_mj(costs))
    return {
        name: days.mean(lambda r, name=name: costs.device.mah(r.usage.by_component_mj(costs).get(name, 0.0)))  # type: ignore[misc]
        for name in names
    }


def _latency(days: Days) -> dict[str, Any] | None:
    parts = days.latencies_s()
    if not len(parts):
        return None
    total, weights = parts.sum(axis=1), days.latency_weights()
    found = weighted_quantiles(total, weights, [q / 100 for q in _PERCENTILES])
    percentiles = {f"p{q}": value for q, value in zip(_PERCENTILES, found, strict=True)}
    mean = dict(zip(LATENCY_PARTS, (weights @ parts).tolist(), strict=True))
    return {"n_songs": len(total), "mean": float(weights @ total), **percentiles, "mean_parts": mean}
