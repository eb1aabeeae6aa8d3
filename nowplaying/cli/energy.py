"""``nowplaying energy``: energy per day."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli.options import DetectorModel, FingerprinterModel, Jobs, Json, Seed
from nowplaying.cli.output import emit_json, note, progress_bar, say, table
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

if TYPE_CHECKING:
    from simulator.days.study import Study

__all__ = ["energy"]


def energy(
    device: Annotated[str, typer.Option("--device", help="Shipped profile or a .toml file.")] = "pixel-2",
    day: Annotated[
        str,
        typer.Option(
            "--day",
            help="average (all of them by their shares), office-worker, commuter, cafe-worker, music-fan, night-shift, "
            "quiet-home or silence.",
        ),
    ] = "average",
    days: Annotated[int, typer.Option("--days", min=1, max=1_000_000, help="Days to simulate.")] = 300,
    seed: Seed = 1,
    jobs: Jobs = 1,
    songs: Annotated[int, typer.Option("--songs", min=0, help="Songs in the database.")] = 10_000,
    rates: Annotated[
        str,
        typer.Option("--rates", help="Error rates: measured (of the models) or published (of Now Playing's detector)."),
    ] = "measured",
    latencies: Annotated[
        Path | None,
        typer.Option("--latencies", help="JSON of benchmark_model on a real phone, instead of the estimate."),
    ] = None,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write a page, with JSON and CSV beside it.")
    ] = None,
    detail_days: Annotated[
        int, typer.Option("--detail-days", min=1, help="Days for each figure of the report's comparisons.")
    ] = 14,
    as_json: Json = False,
) -> None:
    """Simulate whole days: energy by part with intervals, songs named and missed, time to song."""
    from simulator.days.many import simulate_days
    from simulator.days.study import Study
    from simulator.days.summary import summarise

    study = Study.load(
        device=device,
        detector=detector,
        fingerprinter=fingerprinter,
        n_songs=songs,
        rates=rates,
        latencies=latencies,
    )
    if report is None:
        simulated = simulate_days(day, study.settings(), days, seed=seed, jobs=jobs)
        result = summarise(simulated, study.published, study.modelled)
    else:
        result = _write_report(report, study, day=day, n_days=days, detail_days=detail_days, seed=seed, jobs=jobs)
    if as_json:
        emit_json("energy/1", result)
    else:
        _print(result)


def _write_report(path: Path, study: "Study", **options: Any) -> dict[str, Any]:
    from simulator.days.study_result import run_study
    from simulator.reports.study_report import write_study

    with progress_bar("study", 4) as advance:
        steps = iter(range(4))
        result = run_study(study, on_step=lambda step: advance(next(steps), rate=step), **options)
    write_study(path, result)
    note(f"report written to {path}, with {path.with_suffix('.json').name} and {path.with_suffix('.csv').name}")
    return result.summary


def _print(result: dict[str, Any]) -> None:
    modelled = result["modelled"]
    say(f"{result['device']}, {result['day']}, {result['n_days']} days simulated")
    rows = [
        [name.replace("_", " "), f"{mah:.2f}", f"{modelled['parts_mah'][name]:.2f}"]
        for name, mah in result["parts_mah"].items()
    ]
    rows.append(["total", _interval(result, "mah_per_day", 2), _interval(modelled, "mah_per_day", 2)])
    rows.append(
        ["% of the battery", _interval(result, "battery_percent", 3), _interval(modelled, "battery_percent", 3)]
    )
    table(["mAh per day", "published cost of a wake-up", f"modelled ({modelled['wake_j']:.2f} J)"], rows)
    songs, latency = result["songs"], result["time_to_song_s"]
    say(
        f"{result['wakes_per_day']:.1f} wake-ups per day; of {songs['in_database']:.1f} songs of the database that "
        f"were played, {songs['named']:.1f} were named"
        + (f", half of them within {latency['p50']:.1f} s of the first note" if latency else "")
    )


def _interval(figures: dict[str, Any], name: str, digits: int) -> str:
    value = figures.get(name, figures.get(f"{name}_per_day"))
    low, high = figures[f"{name}_interval_95"]
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
