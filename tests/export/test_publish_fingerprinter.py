from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from export.publish_fingerprinter import publish_fingerprinter
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError

pytestmark = pytest.mark.train


def test_a_run_that_has_not_ended_is_refused(tmp_path: Path) -> None:
    run, sources = tmp_path / "run", TrainingSources(corpus=tmp_path, cache_dir=tmp_path)
    run.mkdir()
    with pytest.raises(ConfigError, match=r"encoder\.weights\.h5"):
        publish_fingerprinter(run, tmp_path / "model", sources)
    for name in ("encoder.weights.h5", "calibration.npy"):
        (run / name).touch()
    write_json(run / "config.json", TrainingConfig(n_steps=10).to_dict())
    write_json(run / "checkpoint.json", {"step": 5})
    with pytest.raises(ConfigError, match="step 5 of 10"):
        publish_fingerprinter(run, tmp_path / "model", sources)
    assert not (tmp_path / "model").exists()
