"""``nowplaying demo``: the whole pipeline on shipped recordings."""

import typer

from nowplaying.cli.options import AllStates, DetectorModel, FingerprinterModel, Json, Report, Seed
from nowplaying.cli.output import doing, emit_json, result_console, typed_command
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, EXIT_NOTHING_RECOGNIZED

__all__ = ["demo"]


def demo(
    report: Report = None,
    all_states: AllStates = False,
    seed: Seed = 1,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Index a dozen shipped songs and play an evening to the simulated phone; ends with 1 if an answer is wrong."""
    from simulator.demo import run_demo

    with doing() as progress:
        all_right = run_demo(
            result_console(quiet=as_json),
            report=report,
            all_states=all_states,
            progress=progress,
            seed=seed,
            command=typed_command(),
            detector=detector,
            fingerprinter=fingerprinter,
            on_result=(lambda result: emit_json("simulation/2", result.to_dict())) if as_json else None,
        )
    raise typer.Exit(EXIT_FOUND if all_right else EXIT_NOTHING_RECOGNIZED)
