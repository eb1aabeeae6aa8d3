"""``nowplaying train``: refusals before any training."""

import importlib.util
from pathlib import Path

import pytest

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
