"""Encoders of two tables: which rows are compared, what may differ between them, and when they are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments.two_tables import paired, to_markdown
from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.probe.rows import ROW_SCHEMA

pytestmark = pytest.mark.train
N_SOUNDS = 200
TASKS = ("digits", "speakers", "key")


def _add_run(folder: Path, method: str, seed: int, right: np.ndarray, config: PretrainingConfig) -> None:
    run = folder / f"{method}-{seed}"
    run.mkdir(parents=True)
    (run / "init.json").write_text(json.dumps({"perceptual_encoder": None, "music": 5, "noise": 2, "rir": 9}))
    (run / "config.json").write_text(json.dumps(config.to_dict()))
    marks = "".join("01"[int(one)] for one in right)
    answers = [{"share": share, "penalties": [0.1], "correct": [marks]} for share in (0.1, 1.0)]
    row = {
        "schema": ROW_SCHEMA,
        "method": method,
        "seed": seed,
        "n_steps": config.n_steps,
        "losses": [[1, 2.0], [config.n_steps, config.learning_rate]],
        "tasks": {name: {"digest": name, "answers": answers} for name in TASKS},
    }
    (run / "row.json").write_text(json.dumps(row))


@pytest.fixture
def folders(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """Return rows of triplet at two rates, the higher right of 40 sounds fewer, and of cola at the higher alone."""
    first, second = tmp_path / "high", tmp_path / "low"
    low = PretrainingConfig(method="triplet", n_steps=7, learning_rate=0.001)
    right = rng.random(N_SOUNDS) < 0.9
    worse = right.copy()
    worse[np.flatnonzero(right)[:40]] = False
    for seed in (1, 2):
        _add_run(first, "triplet", seed, worse, PretrainingConfig(method="triplet", n_steps=7, learning_rate=0.01))
    _add_run(second, "triplet", 1, right, low)
    _add_run(first, "cola", 1, right, PretrainingConfig(method="cola", n_steps=7))
    tasks = [
        {"name": name, "digest": name, "pooled": name == "key", "units": list(map(str, range(N_SOUNDS)))}
        for name in TASKS
    ]
    (first / "tasks.json").write_text(json.dumps(tasks))
    return first, second


def test_a_method_in_both_folders_is_compared_sound_by_sound(folders: tuple[Path, Path]) -> None:
    result = paired(*folders)
    (one,) = result["methods"]
    assert one["method"] == "triplet"
    assert [run["seeds"] for run in one["runs"]] == [[1, 2], [1]]
    assert [run["last_loss"] for run in one["runs"]] == [0.01, 0.001]
    found = {row["task"]: row for row in result["differences"]}
    assert set(found) == {"digits", "speakers", "mean"}, "what needs a whole clip is no part of the mean"
    for row in found.values():
        assert row["difference"] == pytest.approx(-40 / N_SOUNDS)
        assert -0.3 < row["low"] < -0.2 < row["high"] < -0.1
    assert found["mean"]["high"] < found["digits"]["high"], "two tasks tell more than one"


def test_the_table_names_the_rates_and_the_seeds_of_both(folders: tuple[Path, Path]) -> None:
    result = paired(*folders)
    assert result["change"] == "learning_rate"
    lines = to_markdown(result).splitlines()
    assert lines[2] == "| method | learning rate | seeds | last loss | digits | speakers | mean |"
    assert lines[4].startswith("| `triplet` | 0.01 less 0.001 | 2, 1 | 0.010, 0.001 | -20.0 (")


def _set(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("name", "changes", "change", "cell"),
    [
        ("config.json", {"n_steps": 7000}, "n_steps", "7 less 7,000"),
        ("init.json", {"extra music": 9}, "recordings", "7 less 16"),
    ],
)
def test_steps_or_recordings_may_differ_instead(
    folders: tuple[Path, Path], name: str, changes: dict[str, object], change: str, cell: str
) -> None:
    first, second = folders
    _set(second / "triplet-1" / "config.json", learning_rate=0.01)
    with pytest.raises(ConfigError, match="found no difference"):
        paired(first, second)
    _set(second / "triplet-1" / name, **changes)
    result = paired(first, second)
    assert result["change"] == change
    assert to_markdown(result).splitlines()[4].startswith(f"| `triplet` | {cell} |")


@pytest.mark.parametrize("changes", [{"n_steps": 8}, {"warmup_steps": 1}])
def test_runs_that_differ_in_more_are_refused(folders: tuple[Path, Path], changes: dict[str, object]) -> None:
    first, second = folders
    _set(second / "triplet-1" / "config.json", **changes)
    with pytest.raises(ConfigError, match=f"in one of .*, found .*{'n_steps' if 'n_steps' in changes else 'settings'}"):
        paired(first, second)


def test_all_methods_differ_in_the_same(folders: tuple[Path, Path], rng: np.random.Generator) -> None:
    first, second = folders
    right = rng.random(N_SOUNDS) < 0.9
    _add_run(second, "cola", 1, right, PretrainingConfig(method="cola", n_steps=8))
    with pytest.raises(ConfigError, match=r"expected one difference .* found learning_rate, n_steps"):
        paired(first, second)


def test_folders_without_a_common_method_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = folders
    with pytest.raises(ConfigError, match="expected a row of a method"):
        paired(first, tmp_path / "none")
    with pytest.raises(ConfigError, match=r"expected rows of encoder_table and tasks\.json"):
        paired(tmp_path / "none", first)
