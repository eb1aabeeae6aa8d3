"""The table of encoders: rows that are kept, and what is made of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments import encoder_rows, encoder_table
from evaluation.experiments.encoder_report import draw_losses, findings, to_markdown
from evaluation.experiments.encoder_summary import METHODS, summary
from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import init_run_dir
from pretraining.probe.rows import ROW_SCHEMA

pytestmark = pytest.mark.train
UNITS = [str(number // 2) for number in range(120)]


def _row(method: str, seed: int, right: dict[str, np.ndarray]) -> dict[str, Any]:
    answers = {
        name: [
            {"share": share, "penalties": [0.1], "correct": ["".join("01"[int(k)] for k in values)]}
            for share in (0.1, 1.0)
        ]
        for name, values in right.items()
    }
    return {
        "schema": ROW_SCHEMA,
        "method": method,
        "seed": seed,
        "n_steps": 7,
        "clips_per_step": 5,
        "probe_cpu_s": 1800.0,
        "train_cpu_s": 5400.0 if method == "cola" else 0.0,
        "losses": [[5, 2.0], [7, 1.5]] if method == "cola" else [],
        "levels": {"nothing known": 1.609} if method == "cola" else {},
        "tasks": {name: {"digest": f"{name}1", "answers": found} for name, found in answers.items()},
    }


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Return rows in which cola knows a little more than each of five random encoders, of digits alone."""
    fixed = {"n_labels": 2, "n_train": 9, "n_test": 120, "n_units": 60, "chance": 0.5, "parted_by": "speaker"}
    tasks = [
        {"name": name, "digest": f"{name}1", "pooled": name == "key", "units": UNITS, **fixed}
        for name in ("digits", "key")
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    base = {name: rng.random(120) < 0.5 for name in ("digits", "key")}
    better = base["digits"].copy()
    better[np.flatnonzero(~better)[:20]] = True
    rows = [_row("random", seed, base) for seed in range(1, 6)]
    rows += [_row("cola", 1, {**base, "digits": better}), _row("supervised", 1, {**base, "digits": better})]
    for row in rows:
        (tmp_path / f"{row['method']}-{row['seed']}").mkdir()
        (tmp_path / f"{row['method']}-{row['seed']}" / "row.json").write_text(json.dumps(row))
    return tmp_path


def test_a_method_is_held_against_the_mean_of_all_random_encoders(folder: Path) -> None:
    result = summary(folder)
    assert {one["method"]: one["seeds"] for one in result["methods"]}["random"] == [1, 2, 3, 4, 5]
    means = {(row["pooled"], row["method"], row["label_share"]): row for row in result["means"]}
    above = means[False, "cola", 1.0]["minus"]["random"]
    assert above["difference"] == pytest.approx(20 / 120, abs=1e-4)
    assert above["low"] > 0.08, "paired: the interval is that of the twenty sounds alone"
    assert means[True, "cola", 1.0]["minus"]["random"] == {"difference": 0.0, "low": 0.0, "high": 0.0}
    assert findings(result) == [
        "- Surely above random weights on average, of 1 without labels: `cola`.",
        "- `cola` to `supervised`: +0.0 (+0.0 to +0.0).",
    ]


def test_the_page_has_a_table_for_one_window_and_one_for_clips_with_chance_above(folder: Path) -> None:
    text = to_markdown(summary(folder))
    window, clip = text.split("## What needs a whole clip")
    assert "| method | digits | mean |" in window
    assert "| method | key | mean |" in clip
    assert "| most common label | 50.0 |" in window
    assert "7 rows, 300 CPU minutes of training and probing, so 2.5 hours of two cores" in window
    assert "| cola | 1 | 7 x 5 | 1.500 | nothing known 1.609 | 120 |" in clip


def test_a_row_beside_the_methods_is_named_by_its_folder(folder: Path, rng: np.random.Generator) -> None:
    right = {name: rng.random(120) < 0.9 for name in ("digits", "key")}
    (folder / "longer").mkdir()
    (folder / "longer" / "row.json").write_text(json.dumps(_row("longer", 1, right)))
    result = summary(folder)
    assert [(one["method"], one["beside"]) for one in result["methods"]][-1] == ("longer", True)
    assert "Surely above random weights on average, of 2 without labels: `cola`, `longer`." in findings(result)[0]


def test_codes_are_held_against_how_often_they_occur(folder: Path, rng: np.random.Generator) -> None:
    for name, share in (("codes", 0.9), ("codes-bag", 0.6)):
        (folder / name).mkdir()
        right = {task: rng.random(120) < share for task in ("digits", "key")}
        (folder / name / "row.json").write_text(json.dumps(_row(name, 1, right)))
    said = findings(summary(folder))
    assert "of 2 without labels: `cola`, `codes`." in said[0], "counting is no method"
    (line,) = (line for line in said if "how often" in line)
    assert line.startswith("- `codes` to how often each of its codes occurs in a window: +")


def test_a_row_of_other_tasks_is_refused(folder: Path) -> None:
    path = folder / "cola-1" / "row.json"
    path.write_text(path.read_text().replace("digits1", "digits2"))
    with pytest.raises(ConfigError, match=r"row\.json: expected answers to"):
        summary(folder)


def test_no_rows_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected rows of this command"):
        summary(tmp_path)


def test_random_has_many_seeds_and_the_budget_is_the_same_for_all() -> None:
    budget = encoder_rows.CONFIGS / "table.toml"
    configs = {name: encoder_rows.row_configs(name, budget, 11, 2) for name in METHODS}
    assert {name: [one.seed for one in found] for name, found in configs.items() if len(found) != 2} == {
        "random": list(range(1, 16)),
        "normalised": list(range(1, 16)),
        "bands": [1],
    }
    assert {one.n_steps for found in configs.values() for one in found} == {11}
    assert {one.clips_per_step for name, found in configs.items() for one in found if "_codes" not in name} == {128}
    assert configs["cola"][0].objective.units == 512, "what is a method's own comes from its own file"
    assert {one.learning_rate for name, found in configs.items() if "_codes" not in name for one in found} == {1e-3}
    own = encoder_rows.CONFIGS / "own-rates.toml"
    (cola,), (codes,) = (encoder_rows.row_configs(name, own, None, 1) for name in ("cola", "vq_codes"))
    assert (cola.learning_rate, cola.n_steps) == (3e-3, 3000)
    assert codes.learning_rate == configs["vq_codes"][0].learning_rate == 2e-3


def test_losses_are_drawn_with_their_levels(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    draw_losses(summary(folder), tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_makes_rows_once_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a corpus to the table: a stopped command's rows are left as they are, the others are made."""
    from tests.detector.sounds import corpus_folder

    corpus = corpus_folder(tmp_path / "corpus", seconds=4.0)
    common = ["encoder_table", "--corpus", str(corpus), "--cache-dir", str(tmp_path / "cache")]
    common += ["--out", str(tmp_path / "out"), "--task", "music_speech_noise"]
    monkeypatch.setattr(encoder_rows, "N_RANDOM", 3)
    monkeypatch.setattr("sys.argv", [*common, "--only", "random"])
    encoder_table.main()
    rows = sorted((tmp_path / "out").glob("*/row.json"))
    assert [path.parent.name for path in rows] == [f"random-{seed}" for seed in range(1, 4)]
    kept = [path.stat().st_mtime_ns for path in rows[1:]]
    rows[0].unlink()
    monkeypatch.setattr("sys.argv", [*common, "--only", "random", "--only", "bands"])
    encoder_table.main()
    assert rows[0].is_file()
    assert [path.stat().st_mtime_ns for path in rows[1:]] == kept
    assert "no encoder: mean and deviation of each band" in capsys.readouterr().out


def test_a_row_of_another_budget_or_of_other_sound_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config,) = encoder_rows.row_configs("cola", encoder_rows.CONFIGS / "table.toml", 500, 1)
    init_run_dir(config, folder / "cola-1")
    common = ["encoder_table", f"--corpus={tmp_path}", f"--cache-dir={tmp_path}", f"--out={folder}", "--only=cola"]
    monkeypatch.setattr("sys.argv", [*common, "--steps=500"])
    encoder_table.main()
    monkeypatch.setattr("sys.argv", [*common, "--steps=3000"])
    with pytest.raises(ConfigError, match="run of other settings"):
        encoder_table.main()
    write_json(folder / "cola-1" / "init.json", {"music": 0, "rendered MIDI": 2})
    monkeypatch.setattr("sys.argv", [*common, "--steps=500"])
    with pytest.raises(ConfigError, match="was given rendered MIDI: 2, not 0"):
        encoder_table.main()
