import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.chosen_gate import ChosenGate, read_chosen_gate
from detector.gate import GateConfig
from detector.training.config import DetectorConfig, NetworkConfig, SceneConfig, TrainingConfig
from detector.training.second_stage import SecondStageConfig, SecondStageNetwork
from evaluation.detector.cross_validate import RESULT_FILE, cross_validate, mean_area
from evaluation.detector.report import cross_validation_to_markdown, plot
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder
from tests.detector.training.fake_teacher import ToneTeacher

pytestmark = pytest.mark.train

CONFIG = DetectorConfig(
    network=NetworkConfig(n_filters=8, n_last_filters=8),
    scenes=SceneConfig(duration_s=12.0),
    training=TrainingConfig(
        n_scenes=12,
        n_check_scenes=6,
        batch_segments=4,
        n_decisions=2,
        steps=2,
        quantized_steps=2,
        log_every=2,
        warmup_steps=1,
    ),
)


def test_folds_are_trained_measured_and_reported_and_nothing_is_done_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=6.0)
    settings = {
        "sources": TrainingSources(corpus=corpus, cache_dir=tmp_path / "pcm"),
        "n_folds": 2,
        "n_clips": 2,
        "n_streams": 2,
        "n_room_tone": 2,
        "stream_s": 120.0,
        "n_threads": 1,
    }
    caplog.set_level(logging.INFO)
    result = cross_validate(CONFIG, tmp_path / "run", **settings)
    assert sum("training fold" in line for line in caplog.messages) == 2
    assert result["streams"]["n_streams"] == 2
    assert len(result["streams"]["gates"]) == 2
    assert result["streams"]["n_regions"] >= 2
    assert result["mean_area"] == mean_area(result["fold_clips"])
    assert json.loads((tmp_path / "run" / RESULT_FILE).read_text())["gate"] == result["gate"]
    assert read_chosen_gate(tmp_path / "run" / RESULT_FILE) == ChosenGate(gate=GateConfig.from_dict(result["gate"]))
    text = cross_validation_to_markdown(result)
    assert "2 folds by source" in text
    assert "nan" not in text.split("Clips of")[0]
    plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5_000
    caplog.clear()
    again = cross_validate(CONFIG, tmp_path / "run", **settings)
    assert not any("training fold" in line for line in caplog.messages)
    assert any("on 2 streams" in line for line in caplog.messages)
    assert again == result
    with pytest.raises(ConfigError, match="was given teacher: none, not tones"):
        cross_validate(CONFIG, tmp_path / "run", **settings, teacher=ToneTeacher(name="tones"))
    # Tracks are kept: the detector is not run on them again.
    assert len(list((tmp_path / "run" / "tracks-of-2").glob("*.json"))) == 4


def test_a_mean_over_folds_has_students_interval() -> None:
    found = mean_area([{"area": {"cold": {"value": value}}} for value in (0.90, 0.94, 0.98)])["cold"]
    # 4.303 is Student's t for two degrees of freedom, and 0.04 the standard deviation.
    half = 4.303 * 0.04 / 3**0.5
    assert found == {"value": 0.94, "low": round(0.94 - half, 4), "high": round(0.94 + half, 4)}


def test_one_fold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 2 folds"):
        cross_validate(CONFIG, tmp_path, sources=TrainingSources(corpus=tmp_path, cache_dir=tmp_path), n_folds=1)


def test_a_second_stage_is_trained_for_each_fold_and_runs_where_the_first_asks_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=6.0)
    training = replace(CONFIG.training, warmup_steps=0)
    second = SecondStageConfig(network=SecondStageNetwork(width=0.2), scenes=CONFIG.scenes, training=training)
    settings = {
        "sources": TrainingSources(corpus=corpus, cache_dir=tmp_path / "pcm"),
        "n_folds": 2,
        "n_clips": 2,
        "n_streams": 2,
        "n_room_tone": 2,
        "stream_s": 60.0,
        "n_threads": 1,
    }
    caplog.set_level(logging.INFO)
    always = cross_validate(CONFIG, tmp_path / "run", **settings, second_stage=second, wanted_above=0)
    assert sum("training the second stage" in line for line in caplog.messages) == 2
    caplog.clear()
    never = cross_validate(CONFIG, tmp_path / "run", **settings, second_stage=second, wanted_above=256)
    assert not any("training" in line for line in caplog.messages)
    assert read_chosen_gate(tmp_path / "run" / RESULT_FILE).wanted_above == 256
    other = replace(second, training=replace(training, steps=3))
    with pytest.raises(ConfigError, match="a run of other settings"):
        cross_validate(CONFIG, tmp_path / "run", **settings, second_stage=other, wanted_above=0)
    outputs = {
        above: [np.array(json.loads(path.read_text())["outputs"]) for path in sorted(folder.glob("stream-*.json"))]
        for above, folder in ((n, tmp_path / "run" / f"tracks-of-2-two-stages-{n}") for n in (0, 256))
    }
    assert all(len(kept) == 2 for kept in outputs.values())
    assert all(kept.any() for kept in outputs[0])
    assert not any(kept.any() for kept in outputs[256])
    # Clips are judged by the second stage whatever the first puts out.
    assert always["fold_clips"] == never["fold_clips"]
