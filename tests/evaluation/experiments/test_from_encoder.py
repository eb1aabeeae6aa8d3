"""The table of beginnings: differences are paired by seed."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def from_encoder() -> ModuleType:
    return importlib.import_module("evaluation.experiments.from_encoder")


def test_seeds_that_differ_more_than_the_encoder_helps_do_not_hide_it(from_encoder: ModuleType) -> None:
    settings = {"scenes": 10, "detector_steps": 3, "distilled_steps": 1, "fingerprinter_steps": 5}
    rows = [
        {"what": "detector", "seed": seed, "with_encoder": with_encoder, "found": {"area": area + gain * with_encoder}}
        for seed, area, gain in ((1, 0.80, 0.010), (2, 0.90, 0.012), (3, 0.85, 0.011))
        for with_encoder in (False, True)
    ]
    text = from_encoder.to_markdown(
        from_encoder.summary({"settings": settings, "encoder": "audio-encoder-v1", "rows": rows})
    )
    assert "| detector | area | 85.00 | 86.10 | +1.10 (+0.85 to +1.35) |" in text
    one = from_encoder.to_markdown(
        from_encoder.summary({"settings": settings, "encoder": "audio-encoder-v1", "rows": rows[:2]})
    )
    assert "| 80.00 | 81.00 | +1.00 |" in one
    assert "1 pair of runs. The detector: 10 scenes" in one
    assert "fingerprinter" not in one, "none was run"
    assert "Per cent. Made by" in one


def test_a_finished_run_is_not_run_again(from_encoder: ModuleType, tmp_path: Path) -> None:
    calls = []

    def measure(folder: Path, seed: int) -> dict[str, float]:
        calls.append(seed)
        return {"area": 0.5}

    assert from_encoder.kept(measure, tmp_path, 1) == from_encoder.kept(measure, tmp_path, 1) == {"area": 0.5}
    assert calls == [1]


def test_finished_runs_become_the_table(tmp_path: Path) -> None:
    for what in ("detector", "fingerprinter"):
        for seed in (1, 2):
            for begun, figure in (("random", 0.5), ("encoder", 0.6)):
                folder = tmp_path / "out" / f"{what}-{seed}-{begun}"
                folder.mkdir(parents=True)
                (folder / "found.json").write_text(json.dumps({"area": figure + seed / 100}), encoding="utf-8")
    root = Path(__file__).parents[3]
    script, encoder = root / "evaluation/experiments/from_encoder.py", root / "models/audio-encoder-v1"
    needed = [f"--encoder={encoder}", *(f"--{name}={tmp_path / name}" for name in ("corpus", "cache-dir", "out"))]
    finished = subprocess.run(
        [sys.executable, script, *needed, "--seeds=2"], check=True, capture_output=True, encoding="utf-8"
    )
    longer = [sys.executable, script, *needed, "--seeds=2", "--fingerprinter-steps=1500"]
    refused = subprocess.run(longer, check=False, capture_output=True, encoding="utf-8")
    assert refused.returncode
    assert "was given fingerprinter_steps: 300, not 1500" in refused.stderr
    given = tmp_path / "out/init.json"
    given.write_text(json.dumps({"embedding_space": "of another encoder of that name"}), encoding="utf-8")
    mixed = subprocess.run([sys.executable, script, *needed], check=False, capture_output=True, encoding="utf-8")
    assert "was given embedding_space: of another encoder of that name, not " in mixed.stderr
    assert mixed.returncode
    lines = finished.stdout.splitlines()
    for what in ("detector", "fingerprinter"):
        assert f"| {what} | area | 51.50 | 61.50 | +10.00 (+10.00 to +10.00) |" in lines
    assert len(json.loads((tmp_path / "out" / "from_encoder.json").read_text(encoding="utf-8"))["rows"]) == 8
