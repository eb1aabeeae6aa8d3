"""``nowplaying simulate``: the whole phone on sound, with its energy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying.cli.options import Database, DetectorModel, FingerprinterModel, Json, Seed
from nowplaying.cli.output import emit_json, note
from nowplaying.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED

if TYPE_CHECKING:
    from simulator.run import SimulationResult

__all__ = ["print_result", "simulate"]


def simulate(
    database: Database,
    source: Annotated[str | None, typer.Argument(help="A file, - for raw 16 kHz s16le PCM, or mic.")] = None,
    scene: Annotated[str | None, typer.Option("--scene", metavar="NAME", help="A shipped scene, not a file.")] = None,
    device: Annotated[str, typer.Option("--device", help="Shipped profile or a .toml file.")] = "pixel-2",
    report: Annotated[Path | None, typer.Option("--report", metavar="OUT.html", help="Write a page.")] = None,
    seed: Seed = 1,
    detector: DetectorModel = "detector-v1",
    fingerprinter: FingerprinterModel = "fingerprinter-v1",
    json_output: Json = False,
) -> None:
    """Let the simulated phone hear a file or a scene: states, wake-ups, songs, latency, energy."""
    from nowplaying.errors import ConfigError
    from simulator.pages.run_report import write_report
    from simulator.play import simulate_scene
    from simulator.power.device import DeviceProfile
    from simulator.run import Setup, simulate_source

    if (source is None) == (scene is None):
        message = "simulate: expected either a file or --scene NAME"
        raise ConfigError(message)
    setup = Setup(database=database, detector=detector, fingerprinter=fingerprinter, device=DeviceProfile.load(device))
    result = simulate_source(str(source), setup) if scene is None else simulate_scene(scene, setup, seed=seed)
    if json_output:
        emit_json("simulation/1", result.to_dict())
    else:
        print_result(result)
    if report is not None:
        write_report(report, result)
        note(f"report written to {report}")
    raise typer.Exit(EXIT_FOUND if result.recognitions else EXIT_NOTHING_RECOGNIZED)


def print_result(result: "SimulationResult") -> None:
    """Print the timeline, the verdict on a scene, and the energy account."""
    from rich.console import Console

    from simulator.timeline import energy_table, findings_table, timeline_table

    console = Console()
    console.print(timeline_table(result))
    if result.findings:
        console.print(findings_table(result.findings))
    console.print(energy_table(result))
