"""``nowplaying energy``: energy per day."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import DetectorModel, Device, FingerprinterModel, Jobs, Json, Report, Seed
from nowplaying.cli.output import emit_json, note, progress_bar, say, table
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

if TYPE_CHECKING:
    from nowplaying.api.energy import EnergyDay
    from simulator.days.study import Study
    from simulator.days.study_result import StudyResult

__all__ = ["energy"]


class Rates(Enum):
    """Whose error rates."""

    MEASURED = "measured"
    PUBLISHED = "published"


def energy(
    device: Device = "pixel-2",
    day: Annotated[
        str,
        typer.Option(
            "--day",
            help="average (all of them by their shares), office-worker, commuter, cafe-worker, music-fan, night-shift, "
            "quiet-home or silence.",
            autocompletion=complete.days,
        ),
    ] = "average",
    days: Annotated[int, typer.Option("--days", min=1, max=1_000_000, help="Days to simulate.")] = 300,
    seed: Seed = 1,
    jobs: Jobs = 1,
    songs: Annotated[int, typer.Option("--songs", min=0, max=100_000_000, help="Songs in the database.")] = 10_000,
    rates: Annotated[
        Rates, typer.Option("--rates", help="Error rates: of these models, or of Now Playing's detector.")
    ] = Rates.MEASURED,
    latencies: Annotated[
        Path | None,
        typer.Option("--latencies", help="JSON of benchmark_model on a real phone, instead of the estimate."),
    ] = None,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    report: Report = None,
    detail_days: Annotated[
        int, typer.Option("--detail-days", min=1, help="Days for each figure of the report's comparisons.")
    ] = 14,
    as_json: Json = False,
) -> None:
    """Simulate whole days: energy by part with intervals, songs named and missed, time to song."""
    from nowplaying.api.energy import EnergyDay
    from nowplaying.api.energy import energy as energy_of_days
    from simulator.days.study import Study

    models: Any = {"detector": detector, "fingerprinter": fingerprinter, "rates": rates.value, "latencies": latencies}
    if report is None:
        with progress_bar("days", days) as advance:
            result = energy_of_days(
                device, day, n_days=days, n_songs=songs, seed=seed, jobs=jobs, progress=advance, **models
            )
    else:
        study = Study.load(device=device, n_songs=songs, **models)
        written = _write_report(report, study, day=day, n_days=days, detail_days=detail_days, seed=seed, jobs=jobs)
        result = EnergyDay(summary=written.summary, days=written.days, study=study)
    if as_json:
        emit_json("energy/1", result.to_dict())
    else:
        _print(result)


def _write_report(path: Path, study: "Study", **options: Any) -> "StudyResult":
    from simulator.days.study_result import run_study
    from simulator.reports.study_report import write_study

    with progress_bar("study", 4) as advance:
        steps = iter(range(4))
        result = run_study(study, on_step=lambda step: advance(next(steps), rate=step), **options)
    write_study(path, result)
    note(f"report written to {path}, with {path.with_suffix('.json').name} and {path.with_suffix('.csv').name}")
    return result


def _print(result: "EnergyDay") -> None:
    figures = result.summary
    say(f"{figures['device']}, {figures['day']}, {figures['n_days']} days simulated")
    table([*result.headings()], [[*row] for row in result.rows()])
    songs, latency = figures["songs"], figures["time_to_song_s"]
    say(
        f"{figures['wakes_per_day']:.1f} wake-ups per day; of {songs['in_database']:.1f} songs of the database that "
        f"were played,\n{songs['named']:.1f} were named"
        + (f", half of them within {latency['p50']:.1f} s of the first note" if latency else "")
    )
