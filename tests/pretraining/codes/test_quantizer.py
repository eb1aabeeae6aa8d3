import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.errors import ConfigError
from pretraining.codes.quantizer import Bottleneck, Codebook, MovingPoints, nearest, slices, unit
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
    first, points = tape.gradient(error, [bottleneck.encoder[0].kernel, bottleneck.moving.points])
    assert np.abs(np.asarray(first)).max() > 0, "the error reaches the encoder"
    assert points is None, "the rebuilt slices move no code"
    np.testing.assert_allclose(
        np.asarray(rebuilt), np.asarray(bottleneck.words())[np.asarray(codes)], atol=1e-5, rtol=1e-4
    )


def _cone(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return rows of unit length in a narrow cone, as a young encoder makes them."""
    return np.asarray(unit(np.float32([5.0, 0, 0, 0]) + rng.normal(size=(n, 4)).astype(np.float32)))


def _n_used(moving: MovingPoints, rows: np.ndarray) -> int:
    return len(np.unique(np.asarray(moving(rows, training=False)[0])))


@pytest.mark.parametrize(("dead_below", "least", "most"), [(0.1, 40, 64), (0.0, 1, 25)])
def test_codes_that_nothing_is_near_begin_anew(
    rng: np.random.Generator, dead_below: float, least: int, most: int
) -> None:
    keras.utils.set_random_seed(5)  # of the first points
    moving = MovingPoints(CodeConfig(n_codes=64, n_fitted=64, latent=4, dead_below=dead_below))
    moving.build((None, 4))
    for _ in range(30):
        moving(_cone(rng, 640), training=True)
    assert least <= _n_used(moving, _cone(rng, 640)) <= most


def test_points_are_the_moving_means_of_their_rows(rng: np.random.Generator) -> None:
    moving = MovingPoints(CodeConfig(n_codes=2, n_fitted=2, latent=4))
    moving.build((None, 4))
    centres = np.float32([[1, 0, 0, 0], [0, 1, 0, 0]])
    moving.points.assign(10 * centres)
    moving.counts.assign([10, 10])
    rows = np.asarray(unit(np.repeat(centres[::-1], 50, axis=0) + 0.1 * rng.normal(size=(100, 4)).astype(np.float32)))
    for _ in range(60):
        codes, chosen = moving(rows, training=True)
    assert np.asarray(codes).tolist() == [1] * 50 + [0] * 50
    np.testing.assert_allclose(np.asarray(chosen)[0], np.asarray(unit(rows[:50].mean(axis=0)[None]))[0], atol=1e-2)
    before = np.asarray(moving.points)
    moving(-rows, training=False)
    np.testing.assert_array_equal(np.asarray(moving.points), before)


def test_a_window_must_hold_whole_slices() -> None:
    with pytest.raises(ConfigError, match="expected a divisor of 32 frames, found 5"):
        Codebook(CodeConfig(slice_frames=5), FRONT_END)


def test_without_new_beginnings_an_unused_point_keeps_its_direction() -> None:
    moving = MovingPoints(CodeConfig(n_codes=2, n_fitted=2, latent=2, dead_below=0.0))
    moving.build((None, 2))
    moving.points.assign([[1, 0], [0, 0.2]])
    rows = np.float32([[1, 0], [0.8, 0.6]])
    for _ in range(300):
        moving(rows, training=True)
    points = np.asarray(unit(moving.points))
    np.testing.assert_allclose(points[1], [0, 1], atol=1e-4)
    np.testing.assert_allclose(points[0], np.float32([1.8, 0.6]) / np.hypot(1.8, 0.6), atol=1e-3)
