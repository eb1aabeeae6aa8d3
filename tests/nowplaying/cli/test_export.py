"""``export`` and ``export verify``: output forms and exit codes."""

import json
from pathlib import Path

import pytest

from detector.stream import MODEL_FILE
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from tests.export.parity.mutation import copied, mutate_weight, seal

from .conftest import Run


def test_export_writes_its_bundles_and_tells_sizes(run: Run, tmp_path: Path) -> None:
    done = run("export", "--out", tmp_path / "out", "--json")
    assert done.code == 0
    (record,) = done.records
    assert record["schema"] == "nowplaying/bundle/1"
    assert record["graphs"]["phone/models/detector/detector.tflite"]["operators"]["CONV_2D"] == 8
    assert sum(one["bytes"] for name, one in record["files"].items() if name.startswith("phone/")) < 1_300_000


def test_export_without_a_folder_is_a_usage_error(run: Run) -> None:
    done = run("export")
    assert done.code == 2
    assert "--out" in done.err


def test_verify_fails_with_a_reason_and_still_tells_all_figures(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    folder = copied(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "detector")
    mutate_weight(folder / MODEL_FILE, layer=5, part=1)
    seal(folder, MODEL_FILE)
    done = run("export", "verify", folder, "--max-items", 1, "--out", tmp_path / "report", "--json")
    assert done.code == 4
    assert "detector, worst kernel: expected at most 0.501, found" in done.err
    assert "Traceback" not in done.err
    (record,) = done.records
    assert record["schema"] == "nowplaying/parity/1"
    assert not record["passed"]
    written = json.loads((tmp_path / "report/verification.json").read_text(encoding="utf-8"))
    assert written["figures"] == record["figures"]
    assert "**out**" in (tmp_path / "report/verification.md").read_text(encoding="utf-8")


def test_verify_of_something_else_is_an_artifact_error(run: Run, tmp_path: Path) -> None:
    done = run("export", "verify", tmp_path)
    assert done.code == 4
    assert "expected a model folder with a manifest.json" in done.err
    assert "Traceback" not in done.err
