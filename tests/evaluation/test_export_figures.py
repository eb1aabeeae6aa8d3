"""The stored figures of the export are those of the models and of the metadata as they are now."""

import json
from pathlib import Path

from evaluation.export_figures import RESULTS, detector_cost_text, metadata_text, parity_text
from export.model_copies import copy_with_metadata
from export.parity.report import TOLERANCES
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.manifest import ModelFolder

STORED = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_figures_are_of_the_shipped_graphs_and_their_metadata(tmp_path: Path) -> None:
    found = {}
    for name in (SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER):
        copy = copy_with_metadata(ModelFolder.open(name), tmp_path / name, leave_out=("codebook",))
        for file, record in copy.manifest["files"].items():
            own = {"sha256": record["graph_sha256"], "bytes": record["graph_bytes"]}
            found[file] = {**own, "exported_bytes": record["bytes"]}
    assert STORED["graphs"] == found, "run python -m evaluation.export_figures"


def test_every_tolerance_has_a_stored_figure_within_it() -> None:
    limits = {figure["name"]: (figure["limit"], figure["at_least"]) for figure in STORED["figures"]}
    assert limits == {name: (one.limit, one.at_least) for name, one in TOLERANCES.items()}
    assert [figure["name"] for figure in STORED["figures"] if not figure["passed"]] == []


def test_texts_hold_the_figures() -> None:
    assert parity_text().count("\n") == 1 + len(TOLERANCES)
    detector = STORED["graphs"]["detector.tflite"]
    assert f"{detector['exported_bytes'] - detector['bytes']:,} bytes in `detector.tflite`" in metadata_text()
    assert f"{detector['bytes']:,} bytes of model" in detector_cost_text()
