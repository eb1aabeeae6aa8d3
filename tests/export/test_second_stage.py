import logging
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.training.config import SceneConfig, TrainingConfig
from detector.training.second_stage import SecondStageConfig, SecondStageNetwork, inference_model
from detector.training.second_stage_fit import train_second_stage
from export.macs import count_macs
from export.operators import list_operators
from export.second_stage import second_stage_graph
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, MissingPathError
from nowplaying_core.runtime import TfliteModel
from tests.detector.sounds import corpus_folder
from tests.detector.training.fake_teacher import ToneTeacher

pytestmark = pytest.mark.train


def config(steps: int = 4) -> SecondStageConfig:
    return SecondStageConfig(
        network=SecondStageNetwork(width=0.25, n_first_filters=8),
        scenes=SceneConfig(duration_s=12.0, music_share=0.5, varied_share=0.5),
        training=TrainingConfig(
            n_scenes=6, n_check_scenes=3, batch_segments=4, n_decisions=2, warmup_steps=1, steps=steps, log_every=2
        ),
    )


class InterruptedRunError(Exception):
    pass


class Interrupt(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if "float step 2:" in record.getMessage():
            raise InterruptedRunError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("second")


@pytest.fixture(scope="module")
def run_dir(folder: Path) -> Path:
    """A run that was interrupted once, beside a whole one."""
    sources = TrainingSources(corpus=corpus_folder(folder / "corpus", seconds=6.0), cache_dir=folder / "pcm")
    shared = {"sources": sources, "features_dir": folder / "features", "n_threads": 1, "teacher": ToneTeacher()}
    assert 0 <= train_second_stage(config(), folder / "whole", **shared) <= 1
    interrupt, log = Interrupt(), logging.getLogger("detector.training.fitting")
    log.addHandler(interrupt)
    level = log.level
    log.setLevel(logging.INFO)
    with pytest.raises(InterruptedRunError):
        train_second_stage(config(), folder / "run", **shared)
    log.removeHandler(interrupt)
    log.setLevel(level)
    train_second_stage(config(), folder / "run", **shared)
    with pytest.raises(ConfigError, match="another run folder"):
        train_second_stage(config(steps=5), folder / "run", **shared)
    return folder / "run"


def test_training_resumes_to_the_same_weights(run_dir: Path, folder: Path) -> None:
    with (
        np.load(run_dir / "second_stage_weights.npz") as parts,
        np.load(folder / "whole" / "second_stage_weights.npz") as whole,
    ):
        assert sorted(parts.files) == sorted(whole.files)
        assert all(np.allclose(parts[name], whole[name], rtol=1e-3, atol=1e-4) for name in parts.files)


def spread_out(run_dir: Path) -> None:
    """Give a run random weights whose logits differ: a few steps leave all near 0, where any graph would agree."""
    path, rng = run_dir / "second_stage_weights.npz", np.random.default_rng(5)
    with np.load(path) as archive, np.load(run_dir / "calibration.npz") as calibration:
        shapes = {name: archive[name].shape for name in archive.files}
        windows = (calibration["windows"].astype(np.float32)[..., None] + 128) / 128
    weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}
    for name, shape in shapes.items():
        if name.startswith("kernel"):
            n_inputs = np.prod(shape[:2] if "depthwise" in name else shape[:-1])
            weights[name] = rng.normal(0, np.sqrt(2 / n_inputs), shape).astype(np.float32)
    probability = np.asarray(inference_model(config().network, weights)(windows))
    logits = np.log(probability / (1 - probability))
    weights["kernel.logit"] *= 2 / logits.std()
    weights["bias.logit"] -= 2 * logits.mean() / logits.std()
    np.savez(path, **weights)


def test_the_graph_takes_int8_steps_and_agrees_with_the_float_network(run_dir: Path, tmp_path: Path) -> None:
    spread_out(run_dir)
    graph, arrays, settings, note = second_stage_graph(run_dir, description="a second stage")
    assert note == ""
    (tmp_path / "graph.tflite").write_bytes(graph)
    assert list_operators(graph, where="graph") == {
        "AVERAGE_POOL_2D": 1,
        "CONV_2D": 9,
        "DEPTHWISE_CONV_2D": 7,
        "LOGISTIC": 1,
    }
    assert count_macs(graph) < 2e6
    assert b"a second stage" in graph
    assert b"functional" not in graph  # the converter's names are gone
    model = TfliteModel(tmp_path / "graph.tflite", reference_kernels=True)
    (given,), (returned,) = model.inputs, model.outputs
    assert (given.shape, given.dtype, returned.shape) == ((1, 446, 40, 1), np.int8, (1, 1, 1, 1))
    with np.load(run_dir / "calibration.npz") as archive:
        windows = archive["windows"][-40:]
    assert (windows[-1] == 127).all()  # full scale, so that the input's grid is that of the features
    expected = np.asarray(
        inference_model(settings.network, arrays)((windows[..., None].astype(np.float32) + 128) / 128)
    )
    found = [int(model.run(window[None, ..., None]).item()) + 128 for window in windows]
    # Random weights have no margin: rounding moves single windows by up to a tenth, and their order hardly.
    assert np.abs(np.array(found) - 256 * expected[:, 0]).mean() <= 12
    assert np.corrcoef(found, expected[:, 0])[0, 1] > 0.98
    assert len(set(found)) > 10


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="let nowplaying train detector-second-stage end first"):
        second_stage_graph(tmp_path)
