"""Results of a study, computed once for the page, the JSON and the CSV beside it."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulator.days.day import DayRun, run_day
from simulator.days.findings import findings
from simulator.days.many import AVERAGE, Days, shares_of_days
from simulator.days.recognizer_errors import MUSIC, OTHER_SOUND
from simulator.days.record import SongOutcome
from simulator.days.scenes import load_scenarios
from simulator.days.sensitivity import SensitivityRow, sensitivity_rows
from simulator.days.study import Study
from simulator.days.study_file import OwnSweep
from simulator.days.study_rows import AlwaysOnRow, DeviceRow, ScenarioRow, always_on_row, device_row, scenario_rows
from simulator.days.summary import summarise
from simulator.days.sweeps import (
    ArchitectureResult,
    Sweep,
    compare,
    sweep_cool_down,
    sweep_false_triggers,
    sweep_figures,
    sweep_size,
)
from simulator.energy.always_on import load_always_on
from simulator.energy.device import device_names
from simulator.provenance import Provenance

__all__ = ["StudyResult", "run_study"]

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
        scenarios=list(scenario_rows(study, days)),
        devices=[device_row(study, days, name) for name in device_names()],
        always_on=[always_on_row(study, days, one) for one in load_always_on()],
        architectures=architectures,
        sensitivity=sensitivity,
        sweeps=sweeps,
        detail_days=detail_days,
        provenance=study.provenance(command, n_days=n_days, seed=seed),
    )
