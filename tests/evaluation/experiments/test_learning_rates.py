"""Losses by learning rate: runs that differ by the rate alone."""

import json
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments import learning_rates
from tests.detector.sounds import corpus_folder

pytestmark = pytest.mark.train


def test_the_lowest_loss_is_named_and_a_run_that_diverged_is_no_candidate() -> None:
    rows = [
        {"method": method, "learning_rate": rate, "clips_per_step": 8, "loss": loss, "cpu_s": 30.0}
        for method, losses in (("cola", (2.0, 1.5, None)), ("triplet", (0.2, 0.3, 0.1)))
        for rate, loss in zip((0.0003, 0.001, 0.003), losses, strict=True)
    ]
    rows.append({**rows[0], "method": "autoencoder", "learning_rate": 0.001, "loss": 0.5})
    lines = learning_rates.to_markdown({"n_steps": 7, "rows": rows}).splitlines()
    assert "end of 7 steps of 8 clips" in lines[0]
    assert lines[0].endswith("in 4 CPU minutes.")
    assert lines[2] == "| method | 0.0003 | 0.001 | 0.003 | lowest at |"
    assert lines[4:] == [
        "| `cola` | 2.000 | 1.500 | diverged | 0.001 |",
        "| `triplet` | 0.200 | 0.300 | 0.100 | 0.003 |",
        "| `autoencoder` |  | 0.500 |  | 0.001 |",
    ]


def test_runs_of_a_method_differ_by_the_rate_alone_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = tmp_path / "budget.toml"
    budget.write_text("clips_per_step = 4\nwarmup_steps = 1\ncheckpoint_every = 1\n")
    needed = [f"--corpus={corpus_folder(tmp_path / 'corpus', seconds=4.0)}", f"--cache-dir={tmp_path / 'cache'}"]
    needed += [f"--out={tmp_path / 'out'}", f"--budget={budget}", "--steps=2", "--only=autoencoder"]
    monkeypatch.setattr("sys.argv", ["learning_rates", *needed, "--rates", "1e-3", "1e-5"])
    learning_rates.main()
    shown = capsys.readouterr().out
    assert "| method | 1e-05 | 0.001 | lowest at |" in shown
    configs = [
        json.loads((tmp_path / "out" / f"autoencoder-{rate}" / "config.json").read_text())
        for rate in ("1e-05", "0.001")
    ]
    assert [config.pop("learning_rate") for config in configs] == [1e-5, 1e-3]
    assert configs[0] == configs[1]
    logs = [path.read_text() for path in sorted((tmp_path / "out").glob("*/log.csv"))]
    learning_rates.main()
    assert [path.read_text() for path in sorted((tmp_path / "out").glob("*/log.csv"))] == logs
    assert capsys.readouterr().out == shown
    monkeypatch.setattr("sys.argv", ["learning_rates", *needed, "--rates", "1e-3", "1e-4", "1e-5", "--table"])
    learning_rates.main()
    assert capsys.readouterr().out == shown, "of what is there"
