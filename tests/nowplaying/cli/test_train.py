"""``nowplaying train``: refusals before any training."""

import importlib.util
from pathlib import Path

import pytest

from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from pretraining.tasks.midi import is_test_score

from .conftest import Run


def test_training_without_tensorflow_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "tensorflow" else find(name, *rest)
    )
    places = ["--corpus", tmp_path, "--run-dir", tmp_path / "run", "--cache-dir", tmp_path / "cache"]
    done = run("train", "fingerprinter", "--config", tmp_path / "config.toml", *places)
    assert done.code == 5
    assert "nowplaying-ondevice[train]" in done.err


@pytest.mark.parametrize("network", ["fingerprinter", "detector"])
def test_wrong_settings_are_usage_errors(run: Run, tmp_path: Path, network: str) -> None:
    (tmp_path / "config.toml").write_text("no_such_setting = 1\n")
    places = ["--corpus", tmp_path, "--run-dir", tmp_path / "run", "--cache-dir", tmp_path / "cache"]
    done = run("train", network, "--config", tmp_path / "config.toml", *places)
    assert done.code == 2
    assert "no_such_setting" in done.err


@pytest.mark.parametrize(
    ("command", "options", "refused"),
    [
        (("train", "detector-crossval"), ("--second-steps", "5"), "--second-steps"),
        (("train", "detector-crossval"), ("--wanted-above", "64"), "--wanted-above"),
        (("publish", "detector"), ("--second-note", "more"), "--second-note"),
        (("publish", "detector"), ("--corpus", "CORPUS"), "--corpus"),
        (("audit", "privacy"), ("--example", "song.wav"), "--example"),
        (("evaluate", "probe"), ("--soundfont", "font.sf2"), "--soundfont"),
        (("pretrain", "supervised"), ("--extra-data", "EXTRA"), "--extra-data"),
        (("pretrain", "random"), ("--rendered-midi", "RENDERED"), "--rendered-midi"),
        (("publish", "encoder"), ("--soundfont", "font.sf2"), "--soundfont"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    run: Run, tmp_path: Path, command: tuple[str, ...], options: tuple[str, ...], refused: str
) -> None:
    (tmp_path / "config.toml").write_text("")
    run_dir = ("--run-dir", builtin_model_dir(SHIPPED_DETECTOR) if command[0] == "publish" else tmp_path / "run")
    places = {
        "train": ("--config", tmp_path / "config.toml", *run_dir, "--corpus", tmp_path, "--cache-dir", tmp_path),
        "publish": (*run_dir, "--out", tmp_path / "out"),
        "audit": (*run_dir, "--corpus", tmp_path, "--cache-dir", tmp_path),
        "pretrain": (*run_dir, "--corpus", tmp_path, "--cache-dir", tmp_path),
        "evaluate": (tmp_path, "--cache-dir", tmp_path),
    }[command[0]]
    if command[1] == "encoder":
        places += ("--corpus", tmp_path, "--cache-dir", tmp_path)
    done = run(*command, *places, *options)
    assert done.code == 2
    assert "Invalid value" in done.err
    assert refused in done.err


def test_rendering_goes_on_with_the_same_settings_alone(run: Run, tmp_path: Path) -> None:
    for name in ("font.sf2", "midi/one.mid", "midi/two.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    render = ("render", tmp_path / "midi", "--out", tmp_path / "out", "--soundfont", tmp_path / "font.sf2")
    all_out = run(*render, "--held-out", "2")
    assert (all_out.code, all_out.err) == (2, "error: --held-out: expected fewer than the 2 MIDI files, found 2\n")
    assert run(*render).code == 3  # no score, or no fluidsynth
    (tmp_path / "out" / "midi-one.wav").touch()
    other = run(*render, "--held-out", "1")
    assert other.code == 2
    assert "was given held_out: 0, not 1" in other.err


def test_scores_that_encoders_are_tested_with_are_left_out(run: Run, tmp_path: Path) -> None:
    scores = [tmp_path / "midi" / f"{number}.mid" for number in range(20)]
    for path in (tmp_path / "font.sf2", *scores):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    n_left = sum(not is_test_score(score) for score in scores)
    assert 0 < n_left < 20
    render = ("render", tmp_path / "midi", "--out", tmp_path / "out", "--soundfont", tmp_path / "font.sf2")
    done = run(*render, "--without-test", "--held-out", "20")
    assert done.err == f"error: --held-out: expected fewer than the {n_left} MIDI files, found 20\n"


def test_examples_of_one_name_would_write_over_each_other(run: Run, tmp_path: Path) -> None:
    songs = [tmp_path / folder / "song.wav" for folder in "ab"]
    for path in songs:
        path.parent.mkdir()
        path.touch()
    places = ("--corpus", tmp_path, "--cache-dir", tmp_path, "--run-dir", tmp_path / "run", "--out", tmp_path / "out")
    done = run("audit", "privacy", *places, "--example", songs[0], "--example", songs[1])
    assert done.code == 2
    assert "found song twice" in " ".join(done.err.split())
