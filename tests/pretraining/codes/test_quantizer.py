import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.errors import ConfigError
from pretraining.codes.quantizer import Bottleneck, Codebook, nearest, slices
from pretraining.config.codes import CodeConfig
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train
FRONT_END = small_config("random").front_end  # 32 bands, 32 frames


def test_slices_are_frames_side_by_side(rng: np.random.Generator) -> None:
    images = rng.normal(size=(2, 32, 32, 1)).astype(np.float32)
    rows = np.asarray(slices(images, 4))
    assert rows.shape == (2, 8, 4 * 32)
    np.testing.assert_array_equal(rows[1, 3], images[1, :, 12:16, 0].T.ravel())


def test_the_nearest_is_that_of_the_smallest_distance(rng: np.random.Generator) -> None:
    points, codebook = rng.normal(size=(3, 50, 6)), 3 * rng.normal(size=(20, 6))
    wanted = np.square(points[:, :, None] - codebook).sum(axis=3).argmin(axis=2)
    np.testing.assert_array_equal(np.asarray(nearest(points, codebook)), wanted)


def test_images_of_codes_have_the_codes_they_came_from(rng: np.random.Generator) -> None:
    codebook = Codebook(CodeConfig(n_codes=10, slice_frames=4, n_fitted=10), FRONT_END)
    codebook.build((None, 32, 32, 1))
    codebook.slices.assign(rng.normal(size=(10, 128)))
    codes = rng.integers(10, size=(3, 8)).astype(np.int32)
    images = np.asarray(codebook.images(codes))
    assert images.shape == (3, 32, 32, 1)
    np.testing.assert_array_equal(np.asarray(codebook(images)), codes)
    assert len(np.unique(codes)) > 5


def test_gradients_pass_straight_through_the_bottleneck(rng: np.random.Generator) -> None:
    tf = pytest.importorskip("tensorflow")
    bottleneck = Bottleneck(CodeConfig(n_codes=8, n_fitted=8, latent=3, units=5), FRONT_END)
    bottleneck.build((None, 32, 32, 1))
    rows = rng.normal(size=(2, 8, 128)).astype(np.float32)
    with tf.GradientTape() as tape:
        codes, rebuilt, _ = bottleneck.bottleneck(rows)
        error = tf.reduce_mean((rebuilt - rows) ** 2)
    first, points = tape.gradient(error, [bottleneck.encoder[0].kernel, bottleneck.points])
    assert np.abs(np.asarray(first)).max() > 0, "the error reaches the encoder"
    assert points is None, "the rebuilt slices move no code"
    np.testing.assert_allclose(
        np.asarray(rebuilt), np.asarray(bottleneck.words())[np.asarray(codes)], atol=1e-5, rtol=1e-4
    )


def test_a_window_must_hold_whole_slices() -> None:
    with pytest.raises(ConfigError, match="expected a divisor of 32 frames, found 5"):
        Codebook(CodeConfig(slice_frames=5), FRONT_END)
