"""Sensitivity: every figure that has a range, moved to both its ends while the others stay."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from simulator.days.error_rates import ErrorRates
from simulator.days.figures import unit_of, words_of
from simulator.days.many import AVERAGE, Days
from simulator.days.study import Study
from simulator.energy.constants import Constant

__all__ = ["SensitivityRow", "sensitivity_rows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SensitivityRow:
    """Change of a day's charge over the range of one figure.

    Attributes
    ----------
    name, title, unit : str
        As in a profile, in words, and the unit of its range.
    constant : Constant
    low_mah, high_mah : float, mAh
        Charge of a day with the figure at its lower and its upper end.
    """

    name: str
    title: str
    unit: str
    constant: Constant
    low_mah: float
    high_mah: float

    @property
    def width_mah(self) -> float:
        """Distance between the two."""
        return abs(self.high_mah - self.low_mah)


def sensitivity_rows(
    study: Study, *, day: str = AVERAGE, n_days: int = 40, seed: int = 1, jobs: int = 1
) -> list[SensitivityRow]:
    """Return how far each figure with a range moves the modelled charge of a day, the furthest first.

    Figures of the device price the same days again. Figures of the days and of the error rates change the events, so
    these days are simulated again with the same seeds.

    Parameters
    ----------
    study : Study
    day : str
    n_days, seed, jobs
        See `simulate_days`.
    """

    def simulated(changed: Study) -> Days:
        return changed.simulate(day, n_days, seed=seed, jobs=jobs)

    base = simulated(study)
    sensitivity = []
    for name, constant in study.device.constants.items():
        part = name.partition(".")[0]
        if constant.has_range and part not in {"radio", "published", "battery", "sleep"}:
            ends = [study.on(study.device.with_constant(name, end)) for end in (constant.low, constant.high)]
            sensitivity.append(_row(name, constant, [_mah(base, one) for one in ends]))
    for name, constant, change in _behaviour(study):
        if constant.has_range:
            ends_mah = [_mah(simulated(change(end)), change(end)) for end in (constant.low, constant.high)]
            sensitivity.append(_row(name, constant, ends_mah))
    return sorted(sensitivity, key=lambda row: -row.width_mah)


def _behaviour(study: Study) -> Iterator[tuple[str, Constant, Callable[[float], Study]]]:
    for name, constant in study.assumptions.constants.items():
        yield (
            f"days.{name}",
            constant,
            lambda end, name=name: replace(study, assumptions=study.assumptions.with_value(name, end)),  # type: ignore[misc]
        )
    for name, constant, change in _of_rates(study.rates):
        yield name, constant, lambda end, change=change: replace(study, rates=change(end))  # type: ignore[misc]


def _of_rates(rates: ErrorRates) -> Iterator[tuple[str, Constant, Callable[[float], ErrorRates]]]:
    for sound, constant in rates.false_triggers_per_h.items():
        yield (
            f"false wake-ups an hour, {sound}",
            constant,
            lambda end, sound=sound: replace(  # type: ignore[misc]
                rates,
                false_triggers_per_h={
                    **rates.false_triggers_per_h,
                    sound: replace(rates.false_triggers_per_h[sound], value=end),
                },
            ),
        )
    # All levels together: an interval of one step of five decibels says little about a day.
    mean = sum(one.value for one in rates.recall.values()) / len(rates.recall)
    low, high = (
        sum(getattr(one, end) for one in rates.recall.values()) / len(rates.recall) / mean for end in ("low", "high")
    )
    whole = next(iter(rates.recall.values()))
    ends = {"value": 1.0, "low": min(1.0, low), "high": max(1.0, high)}
    yield (
        "detector.recall_factor",
        replace(whole, **{end: rates.recall_factor * by for end, by in ends.items()}),
        lambda end: replace(rates, recall_factor=end),
    )
    for name, field in (
        ("recognizer.accepted", "accepted"),
        ("recognizer.unknown_accepted", "unknown_accepted"),
        ("recognizer.noise_accepted", "noise_accepted"),
    ):
        constant = getattr(rates, field)
        yield name, constant, lambda end, field=field: _with_rate(rates, field, end)  # type: ignore[misc]


def _with_rate(rates: ErrorRates, field: str, value: float) -> ErrorRates:
    return replace(rates, **{field: replace(getattr(rates, field), value=value)})


def _row(name: str, constant: Constant, ends_mah: list[float]) -> SensitivityRow:
    return SensitivityRow(
        name=name,
        title=words_of(name),
        unit=unit_of(name),
        constant=constant,
        low_mah=ends_mah[0],
        high_mah=ends_mah[1],
    )


def _mah(days: Days, study: Study) -> float:
    costs = study.modelled
    return days.mean(lambda record: costs.device.mah(record.usage.total_mj(costs)))
