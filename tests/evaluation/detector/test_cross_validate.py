import json
import logging
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.chosen_gate import ChosenGate, read_chosen_gate
from detector.gate import GateConfig
from detector.training.config import DetectorConfig, NetworkConfig, SceneConfig, TrainingConfig
from evaluation.detector.cross_validate import RESULT_FILE, cross_validate
from evaluation.detector.report import cross_validation_to_markdown, plot
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder

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
    # Tracks are kept: the detector is not run on them again.
    assert len(list((tmp_path / "run" / "tracks-of-2").glob("*.json"))) == 4


def test_one_fold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 2 folds"):
        cross_validate(CONFIG, tmp_path, sources=TrainingSources(corpus=tmp_path, cache_dir=tmp_path), n_folds=1)
