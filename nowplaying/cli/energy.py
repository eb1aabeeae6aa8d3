"""``nowplaying energy``: energy per day; the commands about the figures behind it are in energy_figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nowplaying.cli import complete, energy_figures
from nowplaying.cli.app import App
from nowplaying.cli.options import (
    DetectorModel,
    Device,
    FingerprinterModel,
    Jobs,
    Json,
    Report,
    Seed,
    refuse_unused,
    writable_file,
)
from nowplaying.cli.output import emit_json, note, paragraph, progress_bar, say, table, typed_command
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError

if TYPE_CHECKING:
    from nowplaying.api.energy import EnergyDay
    from simulator.days.study import Study
    from simulator.days.study_result import StudyResult

__all__ = ["app"]

app = App()


def energy(
    context: typer.Context,
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
    songs: Annotated[int, typer.Option("--songs", min=0, max=10_000_000, help="Songs in the database.")] = 10_000,
    rates: Annotated[
        Literal["measured", "published"],
        typer.Option("--rates", help="Error rates: of these models, or of Now Playing's detector."),
    ] = "measured",
    latencies: Annotated[
        Path | None,
        typer.Option("--latencies", help="Log of benchmark_model on a real phone, or JSON, instead of the estimate."),
    ] = None,
    stated: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Another value for a figure, such as processor.resume_j=0.3; see 'energy figures'. May be repeated.",
        ),
    ] = None,
    study_file: Annotated[
        Path | None,
        typer.Option("--study", metavar="FILE.toml", help="Your own kind of day, scenes, figures and sweeps."),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "--write-template",
            metavar="FILE.toml",
            help="Write an example for --study, and end.",
            callback=writable_file,
        ),
    ] = None,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    report: Report = None,
    detail_days: Annotated[
        int | None,
        typer.Option(
            "--detail-days",
            min=1,
            max=10_000,
            help="With --report: days for each figure of its comparisons; 14 by default.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate whole days: energy by component with intervals, songs named and missed, time to song."""
    if template is not None:
        _write_template(template)
        return
    if detail_days is not None and report is None:
        message = "--detail-days needs --report"
        raise typer.BadParameter(message)
    from nowplaying.api.energy import EnergyDay, load_study
    from simulator.days.study_file import StudyFile
    from simulator.days.summary import summarise

    own = None if study_file is None else StudyFile.read(study_file)
    models: dict[str, Any] = {"detector": detector, "fingerprinter": fingerprinter, "latencies": latencies}
    figures = _stated(stated or [])
    if "database.songs" in figures or (own is not None and "database.songs" in own.figures):
        where = "--set" if "database.songs" in figures else study_file
        refuse_unused(context, f"database.songs of {where} says how many already", "songs")
    study = load_study(device, figures=figures, own=own, n_songs=songs, rates=rates, **models)
    if report is None and own is not None and own.sweeps:
        note("the sweeps of the study file are in a report: add --report OUT.html")
    command = typed_command()
    if report is None:
        with progress_bar("days", days) as advance:
            simulated = study.simulate(day, days, seed=seed, jobs=jobs, progress=advance)
        result = EnergyDay(summary=summarise(simulated, study.published, study.modelled), days=simulated, study=study)
    else:
        more = {"own_sweeps": () if own is None else own.sweeps, "command": command, "detail_days": detail_days or 14}
        written = _write_report(report, study, day=day, n_days=days, seed=seed, jobs=jobs, **more)
        result = EnergyDay(summary=written.summary, days=written.days, study=study)
    if as_json:
        emit_json(
            "energy/2", {**result.to_dict(), "provenance": study.provenance(command, n_days=days, seed=seed).to_dict()}
        )
    else:
        _print(result)


def _write_template(path: Path) -> None:
    from nowplaying_core.artifacts import write_text
    from simulator.days.study_file import TEMPLATE

    if path.exists():
        message = f"{path}: there is a file already; expected a new name for the template"
        raise ConfigError(message)
    write_text(path, TEMPLATE.read_text(encoding="utf-8"))
    note(f"template written to {path}; change it and run: nowplaying energy --study {path} --report out.html")


def _stated(texts: list[str]) -> dict[str, float]:
    """Return the figures of --set NAME=VALUE."""
    stated: dict[str, float] = {}
    seen: set[str] = set()
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            stated[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            message = f"--set: expected NAME=VALUE with a number, found {text!r}"
            raise ConfigError(message)
        if name.strip() in seen:
            message = f"--set: expected each figure once, found {name.strip()!r} twice"
            raise ConfigError(message)
        seen.add(name.strip())
    return stated


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
    summary, n_days = result.summary, result.summary["n_days"]
    say(f"{result.study.device.title}, {summary['day']}, {n_days} {'day' if n_days == 1 else 'days'} simulated")
    for sentence in result.findings():
        paragraph(f"- {sentence}", indent=2)
    table([*result.headings()], [[*row] for row in result.rows()])
    compared = result.published_rows()
    if compared:
        price = f"published, {summary['published']['wake_j']:g} J a wake-up"
        table(["mAh per day", price, "modelled"], [[*row] for row in compared])
    for remark in result.study.remarks():
        note(f"note: {remark}")


app.add_default(energy, example="nowplaying energy --device pixel-6 --day commuter")
app.add(energy_figures.devices, example="nowplaying energy devices")
app.add(
    energy_figures.calibrate,
    example="nowplaying energy calibrate --asleep a.csv --listening b.csv --answering c.csv --answers 20 "
    "--voltage 3.85 --device pixel-6 --out mine.toml",
)
app.add(energy_figures.figures, example="nowplaying energy figures --device pixel-6")
app.add(energy_figures.current, example="nowplaying energy current --device pixel-3")
app.add(energy_figures.account, example="nowplaying energy account --out android_demo/app/src/main/assets/energy.json")
