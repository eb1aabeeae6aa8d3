import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.methods.random import random_encoder
from pretraining.normalisation import settle
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


def test_settled_statistics_are_the_mean_over_batches_and_no_weight_moves(rng: np.random.Generator) -> None:
    encoder = random_encoder(small_config("random"))
    first = next(layer for layer in encoder.layers if layer.name == "block1_mel_norm")
    trained = [weight.copy() for weight in map(np.asarray, encoder.trainable_variables)]
    batches = [rng.normal(number, 1.0, (8, 32, 32, 1)).astype(np.float32) for number in (1, 2, 5)]
    before = keras.Model(encoder.inputs, encoder.get_layer("block1_mel_conv").output)
    means = [np.asarray(before(batch)).mean(axis=(0, 1, 2)) for batch in batches]
    momentum = first.momentum
    settle(encoder, batches)
    np.testing.assert_allclose(np.asarray(first.moving_mean), np.mean(means, axis=0), rtol=1e-4, atol=1e-5)
    assert first.momentum == momentum
    assert all(np.array_equal(a, np.asarray(b)) for a, b in zip(trained, encoder.trainable_variables, strict=True))
