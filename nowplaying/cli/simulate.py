"""``nowplaying simulate``: the whole phone on sound, with its energy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json, Seed
from nowplaying.cli.output import emit_json, note
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED

if TYPE_CHECKING:
    from nowplaying.api.phone import Watch
    from simulator.run import Setup

__all__ = ["simulate"]


def simulate(
    databases: Databases,
    source: Annotated[str | None, typer.Argument(help="A file, - for raw 16 kHz s16le PCM, or mic.")] = None,
    scene: Annotated[
        str | None, typer.Option("--scene", metavar="NAME", help="A shipped scene instead of a file.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Shipped profile or a .toml file.")] = "pixel-2",
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write a page, with JSON and CSV beside it.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Show the phone in the terminal while it listens.")] = False,
    speed: Annotated[
        float, typer.Option("--speed", min=0.0, help="With --live: times real time; 0 is as fast as possible.")
    ] = 0.0,
    latencies: Annotated[
        Path | None,
        typer.Option("--latencies", help="JSON of benchmark_model on a real phone, instead of the estimate."),
    ] = None,
    seed: Seed = 1,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Play a file or a scene to the simulated phone: states, wake-ups, songs, latency, energy."""
    from rich.console import Console

    from nowplaying.api.phone import simulate as play
    from simulator.reports.run_report import write_report
    from simulator.reports.timeline import run_tables

    with _watching(wanted=live, speed=speed) as watch:
        result = play(
            databases,
            source,
            scene=scene,
            device=device,
            seed=seed,
            latencies=latencies,
            detector=detector,
            fingerprinter=fingerprinter,
            watch=watch,
        )
    if as_json:
        emit_json("simulation/1", result.to_dict())
    else:
        console = Console()
        for table in run_tables(result):
            console.print(table)
    if report is not None:
        write_report(report, result)
        note(f"report written to {report}")
    raise typer.Exit(EXIT_FOUND if result.recognitions else EXIT_NOTHING_RECOGNIZED)


@contextmanager
def _watching(*, wanted: bool, speed: float) -> Iterator["Watch | None"]:
    """Show the phone on a terminal; nothing where none is wanted or there is none."""
    from rich.console import Console
    from rich.live import Live

    from simulator.reports.live import LiveView

    console = Console(stderr=True)
    if not wanted or not console.is_terminal:
        if wanted:
            note("--live needs a terminal; going on without")
        yield None
        return
    with Live(console=console, refresh_per_second=10) as live:

        def watch(setup: "Setup") -> tuple[Any, Any]:
            view = LiveView(setup.modelled, live, speed=speed)
            return view.on_event, view.on_sound

        yield watch
