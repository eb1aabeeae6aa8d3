"""``nowplaying simulate``: the whole phone on sound, with its energy."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import (
    AllStates,
    Databases,
    DetectorModel,
    Device,
    FingerprinterModel,
    Json,
    RawKind,
    RawRate,
    Report,
    Seed,
    refuse_unused,
)
from nowplaying.cli.output import emit_json, note, paragraph, progress_bar, result_console, typed_command
from nowplaying.cli.sounds import sound_of
from nowplaying.cli.status_line import erase, moving
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nowplaying.api.phone import Watch
    from simulator.phone_setup import Setup

__all__ = ["simulate"]


def simulate(
    context: typer.Context,
    databases: Databases,
    source: Annotated[
        str | None, typer.Argument(help="A file, - for raw 16 kHz s16le PCM, or mic.", autocompletion=complete.sources)
    ] = None,
    scene: Annotated[
        str | None,
        typer.Option(
            "--scene",
            metavar="NAME",
            help="A shipped scene instead of a file: evening.",
            autocompletion=complete.scenes,
        ),
    ] = None,
    device: Device = "pixel-2",
    report: Report = None,
    all_states: AllStates = False,
    scene_songs: Annotated[
        bool | None,
        typer.Option(
            "--scene-songs/--no-scene-songs",
            help="Whether to index a scene's songs for this run where your databases lack them; asked on a terminal.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Show the phone in the terminal while it listens.")] = False,
    speed: Annotated[
        float | None,
        typer.Option("--speed", min=0.0, help="With --live: times real time; by default 0, as fast as possible."),
    ] = None,
    latencies: Annotated[
        Path | None,
        typer.Option("--latencies", help="Log of benchmark_model on a real phone, or JSON, instead of the estimate."),
    ] = None,
    seed: Seed = 1,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    raw_rate: RawRate = None,
    raw_format: RawKind = None,
    as_json: Json = False,
) -> None:
    """Play a file or a scene to the simulated phone: states, wake-ups, songs, latency, energy."""
    if not live:
        refuse_unused(context, "it goes with --live", "speed")
    if scene is None:
        refuse_unused(context, "it goes with --scene", "seed", "scene_songs")
    if source is None:
        refuse_unused(context, "it goes with the input -", "raw_rate", "raw_format")
    from nowplaying.api.phone import simulate as play
    from simulator.reports.run_report import write_report
    from simulator.reports.timeline import run_tables

    with _watching(wanted=live, speed=speed or 0.0) as watch:
        result = play(
            databases,
            None if source is None else sound_of(source, raw_rate, raw_format),
            scene=scene,
            device=device,
            seed=seed,
            latencies=latencies,
            detector=detector,
            fingerprinter=fingerprinter,
            scene_songs=lambda names: _wants_songs(names, scene_songs),
            command=typed_command(),
            watch=watch,
        )
    if as_json:
        emit_json("simulation/2", result.to_dict())
    else:
        console = result_console()
        for table in run_tables(result, all_states=all_states):
            erase()
            console.print(table)
        for sentence in [*result.findings(), *result.remarks]:
            paragraph(f"- {sentence}", indent=2)
    if report is not None:
        write_report(report, result)
        note(f"report written to {report}")
    raise typer.Exit(EXIT_FOUND if result.recognitions else EXIT_NOTHING_RECOGNIZED)


def _wants_songs(names: Sequence[str], wanted: bool | None) -> bool:
    """Say which songs of a scene the databases lack, and return whether to index them for this run."""
    note(
        f"{len(names)} songs of the scene are not in your database and can only come out as unknown: {', '.join(names)}"
    )
    if wanted is None and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        with moving():
            wanted = typer.confirm("Index them for this run, beside your database?", default=True, err=True)
    if wanted is None:
        note("--scene-songs indexes them for this run, beside your database; --no-scene-songs goes on without asking")
    return bool(wanted)


@contextmanager
def _watching(*, wanted: bool, speed: float) -> Iterator["Watch"]:
    """Show the phone, or how far it is, from when its setup is opened on: nothing is drawn over a question before."""
    from rich.console import Console
    from rich.live import Live

    from nowplaying_core.audio import SAMPLE_RATE_HZ
    from simulator.reports.live import LiveView

    console = Console(stderr=True)
    if wanted and not console.is_terminal:
        note("--live needs a terminal; going on without")
    with ExitStack() as shown:

        def show(setup: "Setup") -> tuple[Any, Any]:
            shown.enter_context(moving())
            view = LiveView(
                setup.modelled,
                shown.enter_context(Live(console=console, refresh_per_second=10)),
                speed=speed,
                second_stage=setup.detector.second_stage,
            )
            return view.on_event, view.on_sound

        def count(_: "Setup") -> tuple[Any, Any]:
            advance, n_samples = shown.enter_context(progress_bar("simulating, seconds of sound")), 0

            def on_sound(chunk: "NDArray[np.float32]") -> None:
                nonlocal n_samples
                n_samples += len(chunk)
                advance(n_samples // SAMPLE_RATE_HZ)

            return None, on_sound

        yield show if wanted and console.is_terminal else count
