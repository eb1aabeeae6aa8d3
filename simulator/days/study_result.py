"""Results of a study, computed once for the page, the JSON and the CSV beside it."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulator.days.day import DayRun, run_day
from simulator.days.findings import findings
from simulator.days.many import AVERAGE, Days, Estimate, shares_of_days
from simulator.days.recognizer_errors import MUSIC, OTHER_SOUND
from simulator.days.record import SongOutcome
from simulator.days.scenes import load_scenarios
from simulator.days.sensitivity import SensitivityRow, sensitivity_rows
from simulator.days.study import Study
from simulator.days.study_file import OwnSweep
from simulator.days.summary import charge, summarise
from simulator.days.sweeps import (
    ArchitectureResult,
    Sweep,
    compare,
    sweep_cool_down,
    sweep_false_triggers,
    sweep_figures,
    sweep_size,
)
from simulator.energy.always_on import AlwaysOnHardware, load_always_on
from simulator.energy.constants import Constant
from simulator.energy.costs import DAY_S
from simulator.energy.device import DeviceProfile, device_names
from simulator.provenance import Provenance

__all__ = ["AlwaysOnRow", "DeviceRow", "ScenarioRow", "StudyResult", "run_study"]

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
    scenarios, devices, always_on, architectures, sensitivity, sweeps : list
    detail_days : int
        Days behind each figure of the last three.
    provenance : Provenance
    """

    study: Study
    days: Days
    summary: dict[str, Any]
    shown_title: str
    shown: DayRun
    scenarios: list[ScenarioRow]
    devices: list[DeviceRow]
    always_on: list[AlwaysOnRow]
    architectures: list[ArchitectureResult]
    sensitivity: list[SensitivityRow]
    sweeps: list[Sweep]
    detail_days: int
    provenance: Provenance

    @property
    def findings(self) -> list[str]:
        """The findings in words."""
        return findings(self.summary, self.study.modelled.device.title)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the timeline as plain values."""
        return {
            "schema": "nowplaying/energy-study/2",
            "provenance": self.provenance.to_dict(),
            "findings": self.findings,
            "remarks": self.study.remarks(),
            "summary": self.summary,
            "scenarios": [asdict(row) for row in self.scenarios],
            "devices": [asdict(row) for row in self.devices],
            "always_on": [asdict(row) for row in self.always_on],
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
                    *(
                        "" if costs is None else f"{device.mah(usage.total_mj(costs)):.4f}"
                        for costs in (published, modelled)
                    ),
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
    command: str = "",
    own_sweeps: Sequence[OwnSweep] = (),
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
    command : str
        That asked for the study, for its provenance.
    own_sweeps : sequence of OwnSweep
        In addition to those that every study has.
    on_step : callable
        Called with the name of each step.
    """
    more: dict[str, Any] = {"day": day, "n_days": detail_days, "seed": seed, "jobs": jobs}
    for one in own_sweeps:
        one.check(study)
    if study.scenario is None:
        shares_of_days(day, detail_days, load_scenarios(), setting="--detail-days")
    on_step("days")
    days = study.simulate(day, n_days, seed=seed, jobs=jobs)
    on_step("architectures")
    architectures = compare(study, **more)
    on_step("sensitivity")
    sensitivity = sensitivity_rows(study, **more)
    on_step("sweeps")
    sweeps = [sweep_false_triggers(study, **more), *sweep_cool_down(study, **more), *sweep_size(study, days)]
    sweeps += [sweep_figures(study, one.title, one.rows, one.columns, one.shown, **more) for one in own_sweeps]
    shown = study.scenario or load_scenarios()[_SHOWN_IN_AVERAGE if day == AVERAGE else day]
    return StudyResult(
        study=study,
        days=days,
        summary=summarise(days, study.published, study.modelled),
        shown_title=shown.title,
        shown=run_day(shown, study.settings(), seed),
        scenarios=list(_scenarios(study, days)),
        devices=[_device(study, days, name) for name in device_names()],
        always_on=[_always_on(study, days, one) for one in load_always_on()],
        architectures=architectures,
        sensitivity=sensitivity,
        sweeps=sweeps,
        detail_days=detail_days,
        provenance=study.provenance(command, n_days=n_days, seed=seed),
    )


def _scenarios(study: Study, days: Days) -> Iterator[ScenarioRow]:
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


def _always_on(study: Study, days: Days, hardware: AlwaysOnHardware) -> AlwaysOnRow:
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
