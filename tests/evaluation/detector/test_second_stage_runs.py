"""Runs of a second stage are counted by kind of sound, and written beside what was measured before."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.detector.second_stage_runs import main, runs_per_hour
from evaluation.detector.streams import Part
from nowplaying_core.artifacts import builtin_model_dir
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from tests.detector.sounds import corpus_folder
from tests.evaluation.detector.test_tracks import made_track


def test_runs_are_counted_by_kind_of_sound() -> None:
    track = made_track(1)
    outputs = np.zeros_like(track.outputs)
    outputs[track.region_of >= 0] = 64
    others = np.flatnonzero(track.is_other)
    outputs[others] = 63
    outputs[others[: others.size // 4]] = 200
    rates = runs_per_hour([replace(track, outputs=outputs)] * 2, 64)
    assert rates["music"]["value"] == 5625.0
    assert rates["other"]["value"] == pytest.approx(5625 * (others.size // 4) / others.size, abs=0.1)
    assert rates["quiet"]["value"] == 0.0
    assert rates["other"]["hours"] == pytest.approx(2 * track.other_s / 3600, abs=1e-3)
    assert runs_per_hour([replace(track, outputs=outputs)], 65)["music"]["value"] == 0.0


def test_the_interval_holds_the_difference_between_streams() -> None:
    track = made_track(1)
    silent, loud = (replace(track, outputs=np.full_like(track.outputs, output)) for output in (0, 255))
    other = runs_per_hour([silent, loud] * 4, 64)["other"]
    assert other["low"] < other["value"] == 2812.5 < other["high"]


def test_refuses_streams_without_a_kind_of_sound() -> None:
    noise = Part(start_s=0.0, end_s=600.0, kind="noise", label="rain", files=())
    with pytest.raises(ConfigError, match="quiet"):
        runs_per_hour([replace(made_track(1), parts=(noise,))], 64)


def test_the_command_adds_to_the_metrics_of_a_detector_of_two_stages(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus")
    folder = tmp_path / "detector-v2"
    shutil.copytree(builtin_model_dir("detector-v2"), folder)
    arguments = [str(folder), str(corpus), "--cache", str(tmp_path / "cache"), "--streams", "3"]
    with pytest.raises(ManifestMismatchError, match="one stage"):
        main(arguments)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"cascade": {"wanted_above": 0}}), encoding="utf-8")
    before = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert main(arguments) == 0
    after = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    second_stage = after.pop("second_stage")
    assert after == before
    assert {one["value"] for one in second_stage["runs_per_hour"].values()} == {5625.0}, "at 0 every output is wanted"
