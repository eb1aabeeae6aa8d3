import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from export.macs import count_macs
from export.tflite import to_float, to_int8
from fingerprinter.config import EncoderConfig
from fingerprinter.encoders.registry import build_encoder as build_fingerprint_encoder
from fingerprinter.training.model import load_matching_weights
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import build_encoder, embed, load_encoder
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
CONFIG = PretrainingConfig(method="random")


def images(rng: np.random.Generator, n: int) -> np.ndarray:
    front_end = CONFIG.front_end
    return rng.standard_normal((n, front_end.n_mels, front_end.n_frames, 1)).astype(np.float32)


def test_the_encoder_has_the_documented_size() -> None:
    encoder = build_encoder(CONFIG)
    assert encoder.output_shape == (None, 128)
    assert encoder.get_layer("pooled").input.shape == (None, 2, 3, 128)
    assert 115_000 <= encoder.count_params() <= 125_000


def test_int8_follows_float(rng: np.random.Generator, tmp_path: Path) -> None:
    encoder, inputs = build_encoder(CONFIG), images(rng, 48)
    encoder(inputs, training=True)  # normalisation statistics as after training
    vectors = embed(encoder, inputs[:12])
    graph = to_int8(encoder, inputs, output="float32")
    assert len(graph) < 180_000
    assert count_macs(to_float(encoder)) < 10e6
    (tmp_path / "encoder.tflite").write_bytes(graph)
    model = TfliteModel(tmp_path / "encoder.tflite")
    rows = [model.output.dequantize(model.run(model.input.quantize(image[None])))[0] for image in inputs[:12]]
    cosine = np.sum(vectors * rows, axis=1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(rows, axis=1)
    assert cosine.min() > 0.97


def test_a_fingerprinter_begins_with_the_encoders_convolutions(rng: np.random.Generator, tmp_path: Path) -> None:
    pretrained = build_encoder(CONFIG)
    pretrained.save_weights(tmp_path / "encoder.weights.h5")
    config = EncoderConfig(name="audio2vec", channels=CONFIG.encoder.channels)
    encoder = build_fingerprint_encoder(config, CONFIG.front_end)
    assert load_matching_weights(encoder, tmp_path / "encoder.weights.h5") == 10, "the ten convolutions"
    assert sum(bool(layer.weights) for layer in encoder.layers) == 21
    for name in ("block1_mel_conv", "block3_time_conv", "block5_time_conv"):
        np.testing.assert_array_equal(
            encoder.get_layer(name).get_weights()[0], pretrained.get_layer(name).get_weights()[0]
        )


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_encoder(tmp_path)
    config = small_config("cola")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    with pytest.raises(ConfigError, match="pretraining end"):
        load_encoder(tmp_path)
    build_encoder(config).save_weights(tmp_path / "encoder.weights.h5")
    found, encoder = load_encoder(tmp_path)
    assert found == config
    assert encoder.output_shape == (None, 16)
    build_encoder(replace(config, encoder=CONFIG.encoder)).save_weights(tmp_path / "encoder.weights.h5")
    with pytest.raises(ConfigError, match="weights of the run's encoder"):
        load_encoder(tmp_path)
