import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.clips import ClipSampler
from tests.pretraining.methods.test_kmeans_codes import prepared

pytestmark = pytest.mark.train


def test_codes_are_learned_together_with_their_order(clips: ClipSampler) -> None:
    pretext = prepared("vq_codes", clips)
    batch = pretext.draw(clips, np.random.default_rng(3))
    images = np.asarray(pretext.log_mel(*batch))

    def rebuilt_error() -> float:
        return float(np.mean((np.asarray(pretext.quantizer.images(pretext.quantizer(images))) - images) ** 2))

    first_error = rebuilt_error()
    points = np.asarray(pretext.quantizer.moving.points)
    losses = [float(pretext.train_on_batch(batch)) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]
    assert rebuilt_error() < 0.7 * first_error
    assert np.abs(np.asarray(pretext.quantizer.moving.points) - points).max() > 1e-3, "codes move"
    assert len(np.unique(np.asarray(pretext.quantizer(images)))) > 3, "several are in use"


def test_what_is_expected_next_moves_no_code(clips: ClipSampler) -> None:
    tf = pytest.importorskip("tensorflow")
    pretext = prepared("vq_codes", clips)
    images = pretext.log_mel(*pretext.draw(clips, np.random.default_rng(3)))
    with tf.GradientTape() as tape:
        surprise = pretext.surprise(pretext.quantizer(images))
    gradients = tape.gradient(surprise, pretext.quantizer.trainable_variables)
    assert all(gradient is None for gradient in gradients)
