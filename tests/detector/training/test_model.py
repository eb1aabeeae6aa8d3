import numpy as np
import pytest
from scipy.special import expit as sigmoid

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from detector.training.config import NetworkConfig
from detector.training.model import FoldedModel, build_training_model, fit_to_grids, fold, normalised
from detector.training.weights import load_weights
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from tests.detector.networks import run

pytestmark = pytest.mark.train
NETWORK = NetworkConfig()


def random_windows(n: int, n_frames: int = 446) -> np.ndarray:
    rng = np.random.default_rng(4)
    loudness = rng.integers(-128, 100, (n, 1, 1))
    return np.clip(loudness + rng.normal(0, 25, (n, n_frames, 40)), -128, 127).astype(np.int8)


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    """A network whose batch normalisation has seen something, so that folding it matters."""
    keras.utils.set_random_seed(3)
    model = build_training_model(NETWORK)
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    windows = random_windows(32)
    labels = (windows.mean(axis=(1, 2)) > -30).astype(np.float32)[:, None, None]
    for _ in range(12):
        model.train_on_batch(normalised(windows), labels)
    return model


def test_a_segment_gives_the_decisions_of_its_windows(trained: keras.Model) -> None:
    segment = random_windows(1, 446 + 2 * 64)
    together = np.asarray(trained(normalised(segment)))[0, :, 0]
    apart = [np.asarray(trained(normalised(segment[:, s : s + 446]))).item() for s in (0, 64, 128)]
    assert together == pytest.approx(apart, abs=1e-4)


def test_folding_and_fitting_keep_the_function(trained: keras.Model) -> None:
    windows = random_windows(16)
    expected = np.asarray(trained(normalised(windows), training=False))
    folded = fold(trained, NETWORK)
    fitted = fit_to_grids(NETWORK, folded, windows)
    for weights in (folded, fitted):
        found = np.asarray(FoldedModel(NETWORK, weights, simulated=False)(normalised(windows)))
        assert found == pytest.approx(expected, abs=1e-3)


def test_simulated_int8_is_close_and_is_not_the_same(trained: keras.Model) -> None:
    windows = random_windows(16)
    fitted = fit_to_grids(NETWORK, fold(trained, NETWORK), windows)
    exact = np.asarray(FoldedModel(NETWORK, fitted, simulated=False)(normalised(windows)))
    rounded = np.asarray(FoldedModel(NETWORK, fitted, simulated=True)(normalised(windows)))
    assert not np.array_equal(exact, rounded)
    # An untrained network's logits run far off the output's grid, where they saturate: probabilities are compared.
    assert np.abs(sigmoid(exact) - sigmoid(rounded)).max() < 0.15


def test_straight_through_gradients_reach_every_weight() -> None:
    import tensorflow as tf

    weights = load_weights(builtin_model_dir(SHIPPED_DETECTOR) / "weights.npz")
    model = FoldedModel(NETWORK, weights, simulated=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(normalised(random_windows(8)))))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    assert sum(float(np.abs(gradient).max()) > 0 for gradient in gradients) >= 18


def test_folded_model_is_the_network_as_defined() -> None:
    weights = load_weights(builtin_model_dir(SHIPPED_DETECTOR) / "weights.npz")
    windows = random_windows(3)
    found = np.asarray(FoldedModel(NETWORK, weights, simulated=False)(normalised(windows)))[:, 0, 0]
    expected = [run(weights, window.astype(np.float64) + 128) for window in windows]
    assert found == pytest.approx(expected, abs=1e-3)
