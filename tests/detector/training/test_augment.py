import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.training.augment import augment, blend, masked, random_eq, transposed


def window(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 100, (60, 40)).astype(np.int8)


@given(st.integers(0, 2**31))
def test_augment_keeps_shape_and_leaves_its_input_alone(seed: int) -> None:
    segment, other = window(1), window(2)
    before = segment.copy()
    changed = augment(segment, other, np.random.default_rng(seed))
    assert changed.shape == segment.shape
    assert changed.dtype == np.int8
    assert np.array_equal(segment, before)


def test_blend_is_the_louder_of_the_two() -> None:
    assert np.array_equal(blend(window(1), window(2), 0), np.maximum(window(1), window(2)))
    assert np.array_equal(blend(window(1), window(2), 255), window(1))


def test_silence_stays_silent() -> None:
    silence = np.full((30, 40), -128, dtype=np.int8)
    for seed in range(20):
        assert (random_eq(silence, np.random.default_rng(seed)) == -128).all()


def test_transposed_moves_channels() -> None:
    segment = window(3)
    assert np.array_equal(transposed(segment, 2)[:, 2:], segment[:, :-2])
    assert np.array_equal(transposed(segment, -3)[:, :-3], segment[:, 3:])
    assert (transposed(segment, 2)[:, :2] == -128).all()
    assert np.array_equal(transposed(segment, 0), segment)


def test_masks_silence_bands_and_moments_and_leave_the_rest() -> None:
    segment = np.full((300, 40), 10, dtype=np.int8)
    n_bands = n_moments = 0
    for seed in range(40):
        changed = masked(segment, np.random.default_rng(seed))
        assert set(np.unique(changed)) <= {-128, 10}
        bands, moments = (changed == -128).all(axis=0), (changed == -128).all(axis=1)
        assert np.array_equal(changed == -128, bands[None, :] | moments[:, None])
        assert bands.sum() <= 14
        assert moments.sum() <= 78
        n_bands, n_moments = n_bands + bands.any(), n_moments + moments.any()
    assert 15 < n_bands < 38
    assert 15 < n_moments < 38
    assert (segment == 10).all(), "the segment itself is not changed"
