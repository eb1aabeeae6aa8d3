"""Export the demo, verify it, and keep the figures for the pages: python -m evaluation.export_figures [FRONTEND].

It takes about a minute of one core, and needs the train and micro extras. With FRONTEND, the unpacked sources of
pymicro-features, it also runs the firmware example on an emulated Cortex-M4, which takes QEMU and ARM's compiler.
:mod:`evaluation.pages` reads the results.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from evaluation.committed import ROOT, committed
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.text import markdown_table

__all__ = [
    "FIRMWARE_RESULTS",
    "RESULTS",
    "detector_cost_text",
    "firmware_cost_text",
    "measure",
    "measure_firmware",
    "metadata_text",
    "parity_text",
    "size_text",
]

_RESULTS: Final = "evaluation/export_figures.json"
_FIRMWARE_RESULTS: Final = "evaluation/firmware_figures.json"
RESULTS: Final = ROOT / _RESULTS
FIRMWARE_RESULTS: Final = ROOT / _FIRMWARE_RESULTS


def measure() -> dict[str, Any]:
    """Export both shipped models with a database of the demo's songs, and verify the export strictly.

    Returns
    -------
    dict
        ``phone_bytes`` (without the float16 variant), ``graphs`` {file: sha256 and bytes of the evaluated graph, and
        ``exported_bytes`` with metadata} and ``figures`` of the verification.

    Raises
    ------
    ParityError
        When a figure is out of its tolerance, or one cannot be measured here.
    """
    from export.bundle import HALF, PHONE, export_bundle
    from export.parity.verify import verify_export
    from simulator.demo import index_demo_songs
    from simulator.scenes.recordings import demo_recordings
    from simulator.scenes.scene import SoundKind

    recordings = demo_recordings().values()
    music, other = ([one.path for one in recordings if (one.kind is SoundKind.MUSIC) == wanted] for wanted in (1, 0))
    detector, fingerprinter = SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "demo.npdb"
        index_demo_songs(database)
        bundle = export_bundle(
            Path(scratch) / "out", detector=detector, fingerprinter=fingerprinter, databases=[database], half=True
        )
        report = verify_export(bundle.path, music=music, other=other)
        report.check(strict=True)
        graphs = {}
        for role in ("detector", "fingerprinter"):
            manifest = json.loads((bundle.path / PHONE / "models" / role / "manifest.json").read_text(encoding="utf-8"))
            for name, record in manifest["files"].items():
                own = {"sha256": record["graph_sha256"], "bytes": record["graph_bytes"]}
                graphs[name] = {**own, "exported_bytes": record["bytes"]}
    return {
        "phone_bytes": bundle.bytes_below(f"{PHONE}/") - bundle.bytes_below(f"{PHONE}/models/{HALF}/"),
        "graphs": graphs,
        "figures": report.to_dict()["figures"],
    }


def measure_firmware(frontend: Path) -> dict[str, Any]:
    """Run the shipped detector's firmware example on an emulated Cortex-M4.

    Parameters
    ----------
    frontend : Path
        Unpacked sources of pymicro-features.

    Returns
    -------
    dict
        As :func:`export.firmware_cost.measure_cortex_m`.
    """
    from export.firmware import export_firmware
    from export.firmware_cost import measure_cortex_m
    from nowplaying_core.manifest import ModelFolder

    with tempfile.TemporaryDirectory() as scratch:
        sources, build = Path(scratch) / "dsp", Path(scratch) / "build"
        export_firmware(ModelFolder.open(SHIPPED_DETECTOR, role="detector"), sources)
        return measure_cortex_m(sources, frontend.resolve(), build)


def parity_text() -> str:
    """Return the table of all figures of the verification, each with its tolerance."""
    rows = [
        [
            figure["name"],
            figure["meaning"],
            f"{figure['value']:.4g}",
            f"at {'least' if figure['at_least'] else 'most'} {figure['limit']:g}",
            figure["detail"],
        ]
        for figure in committed(_RESULTS)["figures"]
    ]
    return markdown_table(["figure", "meaning", "found", "tolerance", "measured on"], rows, numbers=(2,))


def size_text() -> str:
    """Return the size of a phone's bundle in one sentence."""
    return (
        f"The demo's twelve songs and both models take {committed(_RESULTS)['phone_bytes'] / 1e6:.1f} MB in `phone/`."
    )


def metadata_text() -> str:
    """Return how many bytes the metadata add to each graph."""
    graphs = committed(_RESULTS)["graphs"]
    grown = [f"{one['exported_bytes'] - one['bytes']:,} bytes in `{name}`" for name, one in graphs.items()]
    return f"Metadata take {', '.join(grown[:-1])} and {grown[-1]}."


def detector_cost_text() -> str:
    """Return what the shipped detector needs on a microcontroller, from its manifest."""
    manifest = committed(f"models/{SHIPPED_DETECTOR}/manifest.json")
    cost = manifest["cost"]
    model, arena, macs = (f"{cost[name]:,}" for name in ("model_bytes", "arena_bytes", "macs_per_second"))
    stage, second = "detector", ""
    if (cascade := manifest.get("cascade")) is not None:
        model_bytes, arena_bytes = (f"{cascade[name]:,}" for name in ("model_bytes", "arena_bytes"))
        stage = "detector's first stage"
        second = (
            f"\nIts second stage takes {model_bytes} bytes of model, {arena_bytes} bytes of arena and "
            f"{cascade['n_macs'] / 1e6:.2f} million multiply-accumulates\n"
            f"a run, which the first asks for with an output of at least {cascade['wanted_above']} of 256."
        )
    return (
        f"The shipped {stage} takes {model} bytes of model, {arena} bytes of arena on a 64-bit host (less where "
        f"pointers are small)\nand {macs} multiply-accumulates a second; eight seconds of ring take 128,000 bytes more."
        f"{second}"
    )


def firmware_cost_text() -> str:
    """Return what each part of the firmware example costs on an emulated Cortex-M4, as a table and a sum."""
    cost = committed(_FIRMWARE_RESULTS)
    hops = 100  # a second
    each = {"record": hops, "front_end": hops, "frame": hops, "network_step": hops / 64}
    names = {
        "record": "ring and silence",
        "front_end": "micro front end",
        "frame": "one more frame for the network",
        "network_step": "network and gate",
    }
    rows = [_cost_row(name, each[part], cost[part]) for part, name in names.items()]
    total = sum(cost[part]["mean"] * each[part] for part in names) / 1e6
    sums, memory = f"In sum {total:.1f} million instructions a second", ""
    if "second_stage" in cost:
        metrics = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")
        runs = {kind: one["value"] / 3600 for kind, one in metrics["second_stage"]["runs_per_hour"].items()}
        titles = {"music": "second stage, in music", "other": "second stage, in other sound"}
        rows += [_cost_row(title, runs[kind], cost["second_stage"]) for kind, title in titles.items()]
        sums += " without the second stage"
        memory = f"the second stage {cost['second_stage_bytes']:,}, "
    head = ["part", "calls/s", "instructions, mean", "most", "millions/s", "stack, bytes"]
    return "\n".join(
        [
            markdown_table(head, rows, numbers=(1, 2, 3, 4, 5)),
            "",
            f"{sums}. The network takes {cost['network_bytes']:,} bytes,",
            f"{memory}the front end {cost['heap_bytes']:,} of heap and the ring {cost['ring_bytes']:,}.",
            f"All {cost['frames']:,} frames and {cost['outputs']} outputs equal the golden vectors.",
        ]
    )


def _cost_row(name: str, calls_per_s: float, cost: Mapping[str, int]) -> list[str]:
    return [
        name,
        f"{calls_per_s:.5g}" if calls_per_s > 1.5 else f"{calls_per_s:.2f}",
        f"{cost['mean']:,}",
        f"{cost['most']:,}",
        f"{cost['mean'] * calls_per_s / 1e6:.2f}",
        f"{cost['stack_bytes']}",
    ]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_json(RESULTS, measure())
    if len(sys.argv) > 1:
        write_json(FIRMWARE_RESULTS, measure_firmware(Path(sys.argv[1])))
