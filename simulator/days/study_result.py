"""Results of a study, computed once for the page, the JSON and the CSV beside it."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from simulator.days.day import DayRun, run_day
from simulator.days.many import AVERAGE, Days, Estimate, simulate_days
from simulator.days.recognizer_errors import MUSIC, OTHER_SOUND
from simulator.days.record import SongOutcome
from simulator.days.scenes import load_scenarios
from simulator.days.sensitivity import SensitivityRow, sensitivity_rows
from simulator.days.study import Study
from simulator.days.summary import charge, summarise
from simulator.days.sweeps import ArchitectureResult, Sweep, compare, sweep_cool_down, sweep_false_triggers, sweep_size
from simulator.energy.device import DeviceProfile, device_names

__all__ = ["DeviceRow", "ScenarioRow", "StudyResult", "run_study"]

_SHOWN_IN_AVERAGE = "office-worker"
_COLUMNS = (
    "scenario",
    "weight",
    "mah_published",
    "mah_modelled",
    "wakes_music",
    "wakes_other",
    "listened_h",
    "music_h",
    "songs",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioRow:
    """A kind of day among those that were simulated; charge in mAh at both costs."""

    name: str
    title: str
    n_days: int
    published: Estimate
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
class StudyResult:
    """Results of a study.

    Attributes
    ----------
    study : Study
    days : Days
    summary : dict
        Of the days, as `summarise` returns it.
    shown_title : str
    shown : DayRun
        One of the days, for its timeline.
    scenarios, devices, architectures, sensitivity, sweeps : list
    detail_days : int
        Days behind each figure of the last three.
    """

    study: Study
    days: Days
    summary: dict[str, Any]
    shown_title: str
    shown: DayRun
    scenarios: list[ScenarioRow]
    devices: list[DeviceRow]
    architectures: list[ArchitectureResult]
    sensitivity: list[SensitivityRow]
    sweeps: list[Sweep]
    detail_days: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the timeline as plain values."""
        return {
            "schema": "nowplaying/energy-study/1",
            "summary": self.summary,
            "scenarios": [asdict(row) for row in self.scenarios],
            "devices": [asdict(row) for row in self.devices],
            "architectures": [asdict(row) for row in self.architectures],
            "sensitivity": [asdict(row) for row in self.sensitivity],
            "sweeps": [asdict(sweep) for sweep in self.sweeps],
            "detail_days": self.detail_days,
            "assumptions": {
                name: asdict(constant)
                for group in (
                    self.study.device.constants,
                    self.study.assumptions.constants,
                    self.study.rates.constants(),
                )
                for name, constant in group.items()
            },
        }

    def to_csv(self) -> str:
        """Return one line for each simulated day."""
        published, modelled, device = self.study.published, self.study.modelled, self.study.device
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            [*_COLUMNS, *(f"songs: {outcome}" for outcome in SongOutcome), "wrong_names", "median_time_to_song_s"]
        )
        for record, weight in zip(self.days.records, self.days.weights, strict=True):
            usage = record.usage
            latencies_s = sorted(latency.total_s for latency in record.latencies)
            writer.writerow(
                [
                    record.scenario,
                    f"{weight:.6g}",
                    *(f"{device.mah(usage.total_mj(costs)):.4f}" for costs in (published, modelled)),
                    usage.n_wakes_for(MUSIC),
                    usage.n_wakes_for(OTHER_SOUND),
                    f"{usage.listened_s / 3600:.3f}",
                    f"{record.music_s / 3600:.3f}",
                    record.n_songs,
                    *(record.song_outcomes[outcome] for outcome in SongOutcome),
                    record.n_wrong,
                    f"{latencies_s[len(latencies_s) // 2]:.2f}" if latencies_s else "",
                ]
            )
        return out.getvalue()


def run_study(
    study: Study,
    *,
    day: str = AVERAGE,
    n_days: int = 300,
    detail_days: int = 14,
    seed: int = 1,
    jobs: int = 1,
    on_step: Callable[[str], None] = lambda _: None,
) -> StudyResult:
    """Simulate days, and with fewer of them compare, move every figure that has a range, and sweep.

    Parameters
    ----------
    study : Study
    day : str
        A scenario, or ``AVERAGE``.
    n_days, detail_days : int >= 1
    seed, jobs
        See `simulate_days`.
    on_step : callable
        Called with the name of each step.
    """
    more = {"n_days": detail_days, "seed": seed, "jobs": jobs}
    on_step("days")
    days = simulate_days(day, study.settings(), n_days, seed=seed, jobs=jobs)
    on_step("architectures")
    architectures = compare(study, day=day, **more)
    on_step("sensitivity")
    sensitivity = sensitivity_rows(study, day=day, **more)
    on_step("sweeps")
    sweeps = [sweep_false_triggers(study, **more), *sweep_cool_down(study, **more), *sweep_size(study, days)]
    shown = load_scenarios()[_SHOWN_IN_AVERAGE if day == AVERAGE else day]
    return StudyResult(
        study=study,
        days=days,
        summary=summarise(days, study.published, study.modelled),
        shown_title=shown.title,
        shown=run_day(shown, study.settings(), seed),
        scenarios=list(_scenarios(study, days)),
        devices=[_device(study, days, name) for name in device_names()],
        architectures=architectures,
        sensitivity=sensitivity,
        sweeps=sweeps,
        detail_days=detail_days,
    )


def _scenarios(study: Study, days: Days) -> Iterator[ScenarioRow]:
    for name, scenario in load_scenarios().items():
        own = days.only(name, scenario.title)
        if own is not None:
            yield ScenarioRow(
                name=name,
                title=scenario.title,
                n_days=len(own.records),
                published=charge(own, study.published),
                modelled=charge(own, study.modelled),
                wakes_per_day=own.mean(lambda record: record.usage.n_wakes),
                music_h=own.mean(lambda record: record.music_s) / 3600,
                recall=own.recall(),
            )


def _device(study: Study, days: Days, name: str) -> DeviceRow:
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
