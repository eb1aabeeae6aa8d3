"""``nowplaying simulate``: the whole phone on sound, with its energy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json, Seed
from nowplaying.cli.output import emit_json, note
from nowplaying.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED

if TYPE_CHECKING:
    from simulator.run import SimulationResult

__all__ = ["print_result", "simulate"]


def simulate(
    databases: Databases,
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
    from simulator.device import DeviceProfile
    from simulator.play import simulate_scene
    from simulator.report import write_report
    from simulator.run import simulate_source

    if (source is None) == (scene is None):
        message = "simulate: expected either a file or --scene NAME"
        raise ConfigError(message)
    profile = DeviceProfile.load(device)
    if scene is not None:
        result = simulate_scene(
            scene, databases, seed=seed, device=profile, detector=detector, fingerprinter=fingerprinter
        )
    else:
        result = simulate_source(str(source), databases, device=profile, detector=detector, fingerprinter=fingerprinter)
    if json_output:
        emit_json("simulation/1", result.to_dict())
    else:
        print_result(result)
    if report is not None:
        write_report(report, result, seed=seed)
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
