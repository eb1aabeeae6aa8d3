"""Tables over two settings at a time, and the architectures side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nowplaying_core.errors import ConfigError
from simulator.days.architectures import Architecture, architectures_for
from simulator.days.figures import figure_of
from simulator.days.many import AVERAGE, Days, Estimate
from simulator.days.quantiles import weighted_quantiles
from simulator.days.study import Study
from simulator.days.summary import charge
from simulator.energy.costs import DAY_S, CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import LISTENING
from simulator.energy.work import DatabaseSize

__all__ = [
    "SWEPT",
    "ArchitectureResult",
    "Sweep",
    "compare",
    "sweep_cool_down",
    "sweep_false_triggers",
    "sweep_figures",
    "sweep_size",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A figure over two settings.

    Attributes
    ----------
    title, row_name, column_name, unit : str
    rows, columns : sequence of float
    values : sequence of sequence of float
        By row, then by column.
    """

    title: str
    row_name: str
    column_name: str
    unit: str
    rows: Sequence[float]
    columns: Sequence[float]
    values: Sequence[Sequence[float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchitectureResult:
    """An architecture on the same days as the others.

    ``published_percent`` is what the published system becomes with it, in percent of the battery a day: its always-on
    side and its wake-ups change by the same factors as on these days. None where nothing was published for the device,
    or the architecture answers elsewhere or without a detector.
    """

    name: str
    title: str
    source: str
    mah: Estimate
    battery_percent: float
    published_percent: float | None
    wakes_per_day: float
    recall: float
    median_s: float | None
    wrong_per_day: float


def compare(
    study: Study, *, day: str = AVERAGE, n_days: int = 20, seed: int = 1, jobs: int = 1
) -> list[ArchitectureResult]:
    """Return the architectures of a device at modelled costs, the baseline first.

    Parameters
    ----------
    study : Study
    day, n_days, seed, jobs
        See `simulate_days`.
    """
    # With another always-on current or battery it would be the published system no more.
    is_other = any(name.startswith(("dsp.", "battery.")) for name in study.changed)
    published = {} if study.published is None or is_other else architectures_for(study.published)
    architectures, reference = [], None
    for one in study.architectures():
        days = study.simulate(day, n_days, architecture=one, seed=seed, jobs=jobs)
        spent_mj = _spent_mj(days, published[one.name].costs) if one.name in published else None
        reference = reference or spent_mj
        mah = charge(days, one.costs)
        latencies_s, weights = days.latencies_s().sum(axis=1), days.latency_weights()
        architectures.append(
            ArchitectureResult(
                name=one.name,
                title=one.title,
                source=one.source,
                mah=mah,
                battery_percent=study.device.battery_percent_of_mah(mah.mean),
                published_percent=_published_percent(study.device, one, spent_mj, reference),
                wakes_per_day=days.mean(lambda record: record.usage.n_wakes),
                recall=days.recall(),
                median_s=weighted_quantiles(latencies_s, weights, (0.5,))[0] if len(latencies_s) else None,
                wrong_per_day=days.mean(lambda record: record.n_wrong),
            )
        )
    return architectures


def _spent_mj(days: Days, costs: CostModel) -> tuple[float, float]:
    """Return the energy of a day while listening and for wake-ups, in mJ."""
    listening = days.mean(lambda record: record.usage.by_cause_mj(costs)[LISTENING])
    return listening, days.mean(lambda record: record.usage.total_mj(costs)) - listening


def _published_percent(
    device: DeviceProfile, one: Architecture, spent: tuple[float, float] | None, reference: tuple[float, float] | None
) -> float | None:
    if device.published is None or spent is None or reference is None or not one.answers_on_device:
        return None
    listening, waking = (mj / base if base else 0.0 for mj, base in zip(spent, reference, strict=True))
    waking_mj = 1000 * device.published.wakes_per_day * device.published.wake_j
    return device.battery_percent(device.listening_mw() * DAY_S * listening + waking_mj * waking)


def sweep_false_triggers(study: Study, *, day: str = AVERAGE, n_days: int = 20, seed: int = 1, jobs: int = 1) -> Sweep:
    """Return percent of the battery a day over false wake-ups an hour of sound and the energy of a wake-up."""
    rates_per_h, wakes_j = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0), (0.1, 0.2, 0.4, 0.7, 1.0, 2.0, 3.0)
    values = []
    for per_h in rates_per_h:
        changed = study.with_value("detector.false_triggers_per_h", per_h)
        days = changed.simulate(day, n_days, seed=seed, jobs=jobs)
        values.append([_percent(days, study.modelled.at_wake_j(wake_j)) for wake_j in wakes_j])
    return Sweep(
        title="False wake-ups against the cost of a wake-up",
        row_name="false wake-ups an hour of sound",
        column_name="J a wake-up",
        unit="% of the battery a day",
        rows=rates_per_h,
        columns=wakes_j,
        values=values,
    )


def sweep_cool_down(study: Study, *, day: str = AVERAGE, n_days: int = 20, seed: int = 1, jobs: int = 1) -> list[Sweep]:
    """Return charge and songs named over the cool-down and the back-off."""
    cool_downs_s, back_offs = (15.0, 30.0, 60.0, 120.0, 300.0), (1.0, 1.25, 1.5, 2.0, 3.0)
    more: dict[str, Any] = {"day": day, "n_days": n_days, "seed": seed, "jobs": jobs}
    rows, columns = ("gate.cool_down_s", cool_downs_s), ("gate.back_off_factor", back_offs)
    return [
        sweep_figures(study, "Charge over rest and back-off", rows, columns, "mah", **more),
        sweep_figures(study, "Songs named over rest and back-off", rows, columns, "songs_named_percent", **more),
    ]


SWEPT: Final[Mapping[str, tuple[str, Callable[[Study, Days], float]]]] = {
    "mah": ("mAh a day, modelled", lambda study, days: charge(days, study.modelled).mean),
    "battery_percent": ("% of the battery a day, modelled", lambda study, days: _percent(days, study.modelled)),
    "wakes": ("wake-ups a day", lambda _, days: days.mean(lambda record: record.usage.n_wakes)),
    "songs_named_percent": ("% of the database's songs", lambda _, days: 100 * days.recall()),
    "wrong_names": ("wrong names a day", lambda _, days: days.mean(lambda record: record.n_wrong)),
}
"""What a sweep can show: its unit and how it follows from simulated days."""


def sweep_figures(
    study: Study,
    title: str,
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
    shown: str,
    *,
    day: str = AVERAGE,
    n_days: int = 20,
    seed: int = 1,
    jobs: int = 1,
) -> Sweep:
    """Return a figure of days over any two figures of a study.

    Parameters
    ----------
    study : Study
    title : str
    rows, columns : (str, sequence of float)
        Names as `Study.with_value` takes them, and values.
    shown : str
        A key of ``SWEPT``.
    day, n_days, seed, jobs
        See `simulate_days`.

    Raises
    ------
    ConfigError
        When a name is unknown or a value cannot be.
    """
    if shown not in SWEPT:
        message = f"sweep {title!r}: expected to show one of {', '.join(SWEPT)}, found {shown!r}"
        raise ConfigError(message)
    unit, figure = SWEPT[shown]
    values = []
    for row in rows[1]:
        changed = [study.with_value(rows[0], row).with_value(columns[0], column) for column in columns[1]]
        values.append([figure(one, one.simulate(day, n_days, seed=seed, jobs=jobs)) for one in changed])
    return Sweep(
        title=title,
        row_name=_axis(rows[0]),
        column_name=_axis(columns[0]),
        unit=unit,
        rows=rows[1],
        columns=columns[1],
        values=values,
    )


def _axis(name: str) -> str:
    figure = figure_of(name)
    return f"{figure.title}, {figure.unit}" if figure.unit else figure.title


def sweep_size(study: Study, days: Days) -> list[Sweep]:
    """Return charge and time of an answer over the size of the database and of the encoder, on given days."""
    songs, factors = (1_000, 10_000, 70_000, 200_000, 1_000_000), (0.25, 1.0, 4.0, 10.0, 40.0)

    def costs(n_songs: int, factor: float) -> CostModel:
        size = DatabaseSize(n_songs=n_songs)
        return CostModel.modelled(study.device, study.models.scaled(factor), size)

    over = partial(Sweep, row_name="songs", column_name="size of the encoder, relative", rows=songs, columns=factors)
    mah = [[charge(days, costs(n, factor)).mean for factor in factors] for n in songs]
    seconds = [[costs(n, factor).answer_s for factor in factors] for n in songs]
    return [
        over(title="Charge over database and encoder", unit="mAh a day", values=mah),
        over(title="Time of an answer over database and encoder", unit="s", values=seconds),
    ]


def _percent(days: Days, costs: CostModel) -> float:
    return costs.device.battery_percent_of_mah(charge(days, costs).mean)
