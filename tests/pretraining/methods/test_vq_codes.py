from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.errors import ConfigError
from pretraining.clips import ClipSampler
from pretraining.config.codes import CodeConfig
from tests.pretraining.methods.test_kmeans_codes import CODES, prepared

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


@pytest.mark.parametrize(("share", "rests"), [(0.25, True), (1.0, False)])
def test_codes_rest_after_their_share_of_the_steps(clips: ClipSampler, share: float, rests: bool) -> None:
    pretext = prepared("vq_codes", clips, replace(CODES, moving_share=share))
    batch = pretext.draw(clips, np.random.default_rng(3))
    images = pretext.log_mel(*batch)

    def after(n_steps: int) -> tuple[np.ndarray, ...]:
        for _ in range(n_steps):
            pretext.train_on_batch(batch)
        found = (pretext.quantizer.moving.points, pretext.quantizer(images), pretext.transformer.codes.embeddings)
        return tuple(keras.ops.convert_to_numpy(one).copy() for one in found)

    points, codes, _ = after(2)
    points_at_rest, codes_at_rest, _ = after(18)
    assert np.abs(points_at_rest - points).max() > 1e-2
    assert (codes_at_rest != codes).any(), "codes move at first"
    _, codes, words = after(80)  # in which Adam's momentum comes to rest as well
    points_at_last, codes_at_last, words_at_last = after(10)
    assert np.array_equal(points_at_last, points_at_rest) == rests
    assert np.array_equal(codes_at_last, codes) or not rests
    assert np.abs(words_at_last - words).max() > 1e-2, "the transformer goes on"


def test_a_resumed_run_knows_how_long_codes_have_moved(clips: ClipSampler, tmp_path: Path) -> None:
    first, second = (prepared("vq_codes", clips, replace(CODES, moving_share=0.1)) for _ in range(2))
    batch = first.draw(clips, np.random.default_rng(3))
    for _ in range(6):
        first.train_on_batch(batch)
    first.save_weights(tmp_path / "checkpoint.weights.h5")
    second.load_weights(tmp_path / "checkpoint.weights.h5")
    points = keras.ops.convert_to_numpy(second.quantizer.moving.points).copy()
    second.train_on_batch(batch)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(second.quantizer.moving.points), points)


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_of_the_steps_is_a_share(share: float) -> None:
    with pytest.raises(ConfigError, match=f"moving_share: expected a share above 0, at most 1, found {share:g}"):
        CodeConfig(moving_share=share)
