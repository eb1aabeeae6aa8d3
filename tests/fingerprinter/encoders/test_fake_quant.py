from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.fake_quant import FakeQuant, fake_quant, quantization_aware
from fingerprinter.encoders.registry import build_encoder

pytestmark = pytest.mark.train

FRONT_END = FrontEndConfig(window_samples=16_384, n_mels=32)
CONFIG = EncoderConfig(channels=(8, 8, 16), dim=16, branch_units=4)


def test_values_lie_on_the_grid_and_gradients_pass(rng):
    tf = pytest.importorskip("tensorflow")
    values = tf.constant(rng.standard_normal(20).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(values)
        rounded = fake_quant(values, 0.25)
        total = tf.reduce_sum(3.0 * rounded)
    np.testing.assert_allclose(np.asarray(rounded) / 0.25, np.round(values / 0.25), atol=1e-5)
    np.testing.assert_allclose(tape.gradient(total, values), 3.0)


def test_activations_follow_the_running_range(rng):
    layer = FakeQuant()
    values = rng.uniform(0, 2, (50, 4)).astype(np.float32)
    layer(values, training=True)
    outputs = np.asarray(layer(values * 3, training=False))
    assert outputs.max() == pytest.approx(values.max(), rel=1e-3)
    steps = outputs / (values.max() / 255)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-2)


def test_the_weights_serve_the_plain_encoder(rng, tmp_path: Path):
    aware = quantization_aware(build_encoder(CONFIG, FRONT_END))
    images = rng.standard_normal((8, 32, FRONT_END.n_frames, 1)).astype(np.float32)
    for _ in range(300):  # until the running ranges and means are those of these images
        aware(images, training=True)
    aware.save_weights(tmp_path / "encoder.weights.h5")
    plain = build_encoder(CONFIG, FRONT_END)
    before = np.sum(np.asarray(plain(images)) * np.asarray(aware(images)), axis=1)
    plain.load_weights(tmp_path / "encoder.weights.h5")
    after = np.sum(np.asarray(plain(images)) * np.asarray(aware(images)), axis=1)
    assert before.mean() < 0.9 < 0.99 < after.min() < 1.0 - 1e-7
