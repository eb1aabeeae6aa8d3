"""Measure the firmware example with TensorFlow Lite Micro on an emulated Cortex-M4, and keep the figures for the pages.

    python -m evaluation.micro_figures FRONTEND --include DIR ... --library reference=FILE --library CMSIS-NN=FILE ...

FRONTEND is the folder of pymicro-features' unpacked sources; the libraries are TensorFlow Lite Micro's own, built for
a Cortex-M4 with soft floating point, each with other kernels. It takes QEMU, ARM's compiler and a few minutes.
:mod:`evaluation.pages` reads the results.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from evaluation.committed import ROOT, committed
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.command import run_command
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.text import markdown_table

__all__ = ["MICRO_RESULTS", "main", "measure_micro", "micro_cost_text"]

_RESULTS: Final = "evaluation/micro_figures.json"
MICRO_RESULTS: Final = ROOT / _RESULTS
_STAGES: Final = {"first_stage": "first stage", "second_stage": "second stage"}
_PLAIN: Final = "plain C"
_LONGEST_S: Final = 0.5
_OUTPUTS_PER_S: Final = 1.5625


def measure_micro(
    detector: str, frontend: Path, libraries: Mapping[str, Path], settings: Mapping[str, str]
) -> dict[str, Any]:
    """Run the networks of a detector in TensorFlow Lite Micro, with each library.

    Parameters
    ----------
    detector : str
        Name or folder of a model.
    frontend : Path
        Unpacked sources of pymicro-features.
    libraries : mapping of str to Path
        By the name of their kernels.
    settings : mapping of str to str
        Further options of the example's ``CMakeLists.txt``, among them ``TFLM_INCLUDE``.

    Returns
    -------
    dict
        ``detector``; ``graphs``, hashes; ``kernels``, by name what the program printed: for each stage its arena, how
        much is used, how many outputs differ from the golden ones, ``mean`` and ``most`` instructions, ``stack_bytes``.

    Raises
    ------
    CorruptArtifactError
        When a program does not build, or an output differs from the golden ones.
    """
    from export.firmware import export_firmware
    from export.firmware_cost import emulate

    folder = ModelFolder.open(detector, role="detector")
    kernels = {}
    with tempfile.TemporaryDirectory() as scratch:
        sources = Path(scratch) / "dsp"
        export_firmware(folder, sources)
        for name, library in libraries.items():
            options = {**settings, "MICROFRONTEND": str(frontend.resolve()), "TFLM_LIBRARY": str(library.resolve())}
            kernels[name] = emulate(sources, Path(scratch) / name, "measure_tflm", options)
    return {
        "detector": f"{folder.manifest['name']} {folder.manifest['version']}",
        "graphs": {
            name: record["sha256"] for name, record in folder.manifest["files"].items() if name.endswith(".tflite")
        },
        "kernels": kernels,
    }


def micro_cost_text() -> str:
    """Return what each stage costs on an emulated Cortex-M4, in plain C and in TensorFlow Lite Micro, as two tables."""
    found, plain = committed(_RESULTS), committed("evaluation/firmware_figures.json")
    costs = {_PLAIN: {"first_stage": plain["network_step"], "second_stage": plain["second_stage"]}, **found["kernels"]}
    stages = [
        [
            f"{title}, {kernels}",
            f"{cost[stage]['mean']:,}",
            f"{cost[stage]['most']:,}",
            f"{cost[stage]['stack_bytes']:,}",
            f"{cost[f'{stage}_arena_used_bytes']:,} of {cost[f'{stage}_arena_bytes']:,}" if kernels != _PLAIN else "",
        ]
        for stage, title in _STAGES.items()
        for kernels, cost in costs.items()
    ]
    metrics = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")["second_stage"]["runs_per_hour"]
    rest = sum(plain[part]["mean"] * 100 for part in ("record", "front_end", "frame"))
    loads = []
    for kernels, cost in costs.items():
        mhz = cost["second_stage"]["most"] / _LONGEST_S / 1e6
        always = rest + _OUTPUTS_PER_S * cost["first_stage"]["mean"]
        rates = [metrics[kind]["value"] / 3600 for kind in ("music", "other")]
        loads.append(
            [kernels, f"{mhz:.0f}", f"{2 * mhz:.0f}", f"{always / 1e6:.1f}"]
            + [f"{(always + rate * cost['second_stage']['mean']) / 1e6:.1f}" for rate in rates]
        )
    head = ["network, kernels", "instructions, mean", "most", "stack, bytes", "arena, bytes used"]
    load_head = [
        "kernels",
        f"MHz for a run in {_LONGEST_S} s, one cycle an instruction",
        "two cycles",
        "millions/s without the second stage",
        "in music",
        "in other sound",
    ]
    return "\n".join(
        [
            markdown_table(head, stages, numbers=(1, 2, 3, 4)),
            "",
            f"All outputs of `{found['detector']}` equal the golden ones to the last bit ({found['versions']}).",
            "The clock that a run of the second stage needs, and the instructions a second of the whole loop, with the",
            "rates above:",
            "",
            markdown_table(load_head, loads, numbers=(1, 2, 3, 4, 5)),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frontend", type=Path, help="unpacked sources of pymicro-features")
    parser.add_argument("--include", type=Path, action="append", required=True, help="folder of headers; repeat")
    parser.add_argument("--library", action="append", required=True, metavar="KERNELS=FILE", help="repeat")
    parser.add_argument("--definitions", default="TF_LITE_STATIC_MEMORY", help="of the libraries' build, with ;")
    parser.add_argument("--versions", required=True, help="what the libraries were built from, for the page")
    parser.add_argument("--detector", default=SHIPPED_DETECTOR, help="name or folder of a model")
    options = parser.parse_args(arguments)
    libraries = {name: Path(file) for name, _, file in (text.partition("=") for text in options.library)}
    for path in (*options.include, *libraries.values(), options.frontend):
        if not path.exists():
            parser.error(f"{path}: expected a file or folder, found none")
    settings = {
        "TFLM_INCLUDE": ";".join(str(path.resolve()) for path in options.include),
        "TFLM_DEFINITIONS": options.definitions,
    }
    found = measure_micro(options.detector, options.frontend, libraries, settings)
    write_json(MICRO_RESULTS, {"versions": options.versions, **found})
    return 0


if __name__ == "__main__":
    run_command(main)
