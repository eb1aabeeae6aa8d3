from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from detector.training.config import SceneConfig
from detector.training.model import normalised
from detector.training.second_stage import (
    SecondStageConfig,
    SecondStageNetwork,
    build_second_stage,
    folded,
    inference_model,
)
from nowplaying_core.errors import ConfigError

pytestmark = pytest.mark.train
SMALL = SecondStageNetwork(width=0.25, n_first_filters=8)


def trained_a_little() -> keras.Model:
    """A network whose batch normalization is not the identity."""
    keras.utils.set_random_seed(2)
    model = build_second_stage(SMALL)
    model.compile(keras.optimizers.SGD(0.05), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    rng = np.random.default_rng(1)
    for _ in range(3):
        frames = rng.integers(-128, 128, (4, 446 + 64, 40)).astype(np.int8)
        model.train_on_batch(normalised(frames), rng.random((4, 2, 1)).astype(np.float32))
    return model


def test_a_segment_gives_the_logits_of_its_windows() -> None:
    model = trained_a_little()
    frames = np.random.default_rng(3).integers(-128, 128, (2, 446 + 2 * 64, 40)).astype(np.int8)
    logits = np.asarray(model(normalised(frames), training=False))
    assert logits.shape == (2, 3, 1)
    alone = [np.asarray(model(normalised(frames[:, at : at + 446]), training=False)) for at in (0, 64, 128)]
    assert np.allclose(logits[..., 0], np.concatenate(alone, axis=1)[..., 0], atol=1e-4)
    assert np.ptp(logits) > 1e-3


def test_the_folded_network_is_the_trained_one() -> None:
    model = trained_a_little()
    windows = np.random.default_rng(4).integers(-128, 128, (5, 446, 40)).astype(np.int8)
    expected = 1 / (1 + np.exp(-np.asarray(model(normalised(windows), training=False))[:, 0]))
    arrays = folded(model)
    single = inference_model(SMALL, arrays)
    found = np.asarray(single(normalised(windows)[..., None]))
    assert np.allclose(found, expected, atol=1e-5)
    assert single.count_params() == sum(array.size for array in arrays.values())


def test_settings_come_from_toml_and_windows_are_the_first_stages(tmp_path: Path) -> None:
    path = tmp_path / "second.toml"
    path.write_text(
        "[network]\nwidth = 0.5\n[scenes]\nvaried_share = 0.25\n[training]\nsteps = 500\n", encoding="utf-8"
    )
    config = SecondStageConfig.read(path)
    assert config.network.filters(6) == 56
    assert config.scenes == SceneConfig(varied_share=0.25)
    for wrong in ({"n_frames": 445}, {"n_channels": 41}, {"decision_frames": 48}):
        with pytest.raises(ConfigError, match="446 frames of 40 channels"):
            SecondStageNetwork(**wrong)
    with pytest.raises(ConfigError, match="width must lie in"):
        SecondStageNetwork(width=0.0)
