"""Export the demo, verify it, and keep the figures for the pages: python -m evaluation.export_figures.

It takes about a minute of one core, and needs the train and micro extras. :mod:`evaluation.pages` reads the result.
"""

import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Final

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir, write_json
from nowplaying_core.text import markdown_table

__all__ = ["RESULTS", "detector_cost_text", "measure", "metadata_text", "parity_text", "size_text"]

RESULTS: Final = Path(__file__).with_name("export_figures.json")


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
    models = {"detector": SHIPPED_DETECTOR, "fingerprinter": SHIPPED_FINGERPRINTER}
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "demo.npdb"
        index_demo_songs(database)
        bundle = export_bundle(Path(scratch) / "out", **models, databases=[database], half=True)
        report = verify_export(bundle.path, music=music, other=other)
        report.check(strict=True)
        graphs = {}
        for role in models:
            manifest = json.loads((bundle.path / PHONE / "models" / role / "manifest.json").read_text(encoding="utf-8"))
            for name, record in manifest["files"].items():
                own = {"sha256": record["graph_sha256"], "bytes": record["graph_bytes"]}
                graphs[name] = {**own, "exported_bytes": record["bytes"]}
    return {
        "phone_bytes": bundle.bytes_below(f"{PHONE}/") - bundle.bytes_below(f"{PHONE}/models/{HALF}/"),
        "graphs": graphs,
        "figures": report.to_dict()["figures"],
    }


def _stored() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return result


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
        for figure in _stored()["figures"]
    ]
    return markdown_table(["figure", "meaning", "found", "tolerance", "measured on"], rows, numbers=(2,))


def size_text() -> str:
    """Return the size of a phone's bundle in one sentence."""
    return f"The demo's twelve songs and both models take {_stored()['phone_bytes'] / 1e6:.1f} MB in `phone/`."


def metadata_text() -> str:
    """Return how many bytes the metadata add to each graph."""
    graphs = _stored()["graphs"]
    grown = [f"{one['exported_bytes'] - one['bytes']:,} bytes in `{name}`" for name, one in graphs.items()]
    return f"Metadata take {', '.join(grown[:-1])} and {grown[-1]}."


def detector_cost_text() -> str:
    """Return what the shipped detector needs on a microcontroller, from its manifest."""
    manifest = builtin_model_dir(SHIPPED_DETECTOR) / "manifest.json"
    cost = json.loads(manifest.read_text(encoding="utf-8"))["cost"]
    model, arena, macs = (f"{cost[name]:,}" for name in ("model_bytes", "arena_bytes", "macs_per_second"))
    return (
        f"The shipped detector takes {model} bytes of model, {arena} bytes of arena on a 64-bit host (less where "
        f"pointers are small)\nand {macs} multiply-accumulates a second; eight seconds of ring take 128,000 bytes more."
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_json(RESULTS, measure())
