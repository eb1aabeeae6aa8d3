import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from export.macs import count_macs
from export.tflite import to_float, to_int8
from fingerprinter.config import EncoderConfig
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.training.model import take_over
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel
from pretraining.config import PretrainingConfig
from pretraining.encoder import build_ear, embed, load_ear
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
CONFIG = PretrainingConfig(method="random")


def images(rng: np.random.Generator, n: int) -> np.ndarray:
    front_end = CONFIG.front_end
    return rng.standard_normal((n, front_end.n_mels, front_end.n_frames, 1)).astype(np.float32)


def test_the_ear_has_the_size_that_is_told_of_it() -> None:
    ear = build_ear(CONFIG)
    assert ear.output_shape == (None, 128)
    assert ear.get_layer("pooled").input.shape == (None, 2, 3, 128)
    assert 115_000 <= ear.count_params() <= 125_000


def test_int8_follows_float(rng: np.random.Generator, tmp_path: Path) -> None:
    ear, inputs = build_ear(CONFIG), images(rng, 48)
    ear(inputs, training=True)  # normalisation statistics as after training
    vectors = embed(ear, inputs[:12])
    graph = to_int8(ear, inputs, output="float32")
    assert len(graph) < 180_000
    assert count_macs(to_float(ear)) < 10e6
    (tmp_path / "ear.tflite").write_bytes(graph)
    model = TfliteModel(tmp_path / "ear.tflite")
    rows = [model.output.dequantize(model.run(model.input.quantize(image[None])))[0] for image in inputs[:12]]
    cosine = np.sum(vectors * rows, axis=1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(rows, axis=1)
    assert cosine.min() > 0.97


def test_a_fingerprinter_begins_with_the_ears_convolutions(rng: np.random.Generator, tmp_path: Path) -> None:
    ear = build_ear(CONFIG)
    ear.save_weights(tmp_path / "encoder.weights.h5")
    config = EncoderConfig(name="small_ear", channels=CONFIG.ear.channels)
    encoder = build_encoder(config, CONFIG.front_end)
    told = take_over(encoder, tmp_path / "encoder.weights.h5")
    assert told.startswith("10 of 21 layers"), "the ten convolutions"
    for name in ("block1_mel_conv", "block3_time_conv", "block5_time_conv"):
        np.testing.assert_array_equal(encoder.get_layer(name).get_weights()[0], ear.get_layer(name).get_weights()[0])


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_ear(tmp_path)
    config = small_config("cola")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    with pytest.raises(ConfigError, match="pretraining end"):
        load_ear(tmp_path)
    build_ear(config).save_weights(tmp_path / "encoder.weights.h5")
    found, ear = load_ear(tmp_path)
    assert found == config
    assert ear.output_shape == (None, 16)
    build_ear(replace(config, ear=CONFIG.ear)).save_weights(tmp_path / "encoder.weights.h5")
    with pytest.raises(ConfigError, match="weights of the run's ear"):
        load_ear(tmp_path)
