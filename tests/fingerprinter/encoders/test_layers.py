import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import DivideAndEncode
from fingerprinter.encoders.norm import BatchNorm
from fingerprinter.encoders.registry import build_encoder

pytestmark = pytest.mark.train
SMALL = EncoderConfig(channels=(4, 8, 8, 16, 16), dim=8, branch_units=4)


def test_rows_have_unit_length(rng):
    encoder = build_encoder(SMALL, FrontEndConfig())
    images = rng.standard_normal((3, 96, 64, 1)).astype(np.float32)
    vectors = np.asarray(encoder(images))
    assert vectors.shape == (3, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)


def test_divide_and_encode_equals_one_small_network_per_branch(rng):
    head = DivideAndEncode(dim=4, units=3)
    features = rng.standard_normal((2, 20)).astype(np.float32)
    found = np.asarray(head(features))
    hidden_kernel, hidden_bias = np.asarray(head.hidden_kernel), np.asarray(head.hidden_bias)
    output_kernel, output_bias = np.asarray(head.output_kernel), np.asarray(head.output_bias)
    for branch in range(4):
        dealt = features[:, branch::4]
        hidden = np.maximum(dealt @ hidden_kernel[branch] + hidden_bias[branch], 0)
        expected = hidden @ output_kernel[branch] + output_bias[branch]
        np.testing.assert_allclose(found[:, branch], expected[:, 0], atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_depthwise_form_equals_the_layer(rng, activation):
    inputs = keras.Input((20,))
    layer = DivideAndEncode(dim=4, units=3, activation=activation)
    batched = keras.Model(inputs, layer(inputs))
    layer.set_weights([rng.standard_normal(weight.shape) for weight in layer.weights])
    depthwise = keras.Model(inputs, layer.as_depthwise(inputs))
    features = rng.standard_normal((6, 20)).astype(np.float32)
    np.testing.assert_allclose(depthwise(features), batched(features), atol=1e-5)


def test_features_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiple of dim"):
        DivideAndEncode(dim=7, units=2).build((None, 20))


def test_fused_batch_norm_equals_keras(rng):
    inputs = (3 + 2 * rng.standard_normal((6, 5, 4, 3))).astype(np.float32)
    ours, plain = BatchNorm(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
    for _ in range(3):
        np.testing.assert_allclose(ours(inputs, training=True), plain(inputs, training=True), atol=2e-4)
    np.testing.assert_allclose(ours.moving_mean, plain.moving_mean, rtol=1e-4)
    # TensorFlow's fused kernel reports the unbiased variance: n / (n - 1) of Keras's, 120 values here.
    np.testing.assert_allclose(ours.moving_variance, plain.moving_variance, rtol=1 / 100)
    np.testing.assert_allclose(ours(inputs), plain(inputs), atol=2e-2)
