"""Words of residual codes as whole numbers: near, exact once rounded, and nothing else is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.format.words import pack_words, round_words, unpack_words


def _words(seed: int, size: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (size * rng.standard_normal((3, 256, 5)) * rng.uniform(0.01, 5, (3, 1, 1))).astype(np.float32)


@given(seed=st.integers(0, 9999), size=st.sampled_from([1e-6, 0.01, 0.3]))
def test_rounded_words_are_near_and_stored_without_loss(seed: int, size: float) -> None:
    words = _words(seed, size)
    rounded = round_words(words)
    numbers, steps = pack_words(rounded)
    assert (numbers.dtype, steps.dtype) == (np.int8, np.float32)
    assert (np.abs(rounded - words) <= 0.5001 * steps[:, None, None]).all()
    assert (steps <= np.abs(words).max(axis=(1, 2)) / 127 * (1 + 2.0**-15)).all(), "no larger than they must be"
    np.testing.assert_array_equal(unpack_words(numbers, steps), rounded)
    np.testing.assert_array_equal(round_words(rounded), rounded)
    exact = numbers.astype(np.float64) * steps.astype(np.float64)[:, None, None]
    np.testing.assert_array_equal(rounded, exact), "so that every reader has the same words"


def test_words_of_zero_stay_zero() -> None:
    words = _words(1)
    words[1] = 0
    np.testing.assert_array_equal(unpack_words(*pack_words(words))[1], 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_words_that_are_not_finite_are_refused(value: float) -> None:
    words = _words(2)
    words[2, 3, 4] = value
    with pytest.raises(ConfigError, match="finite"):
        round_words(words)


def test_other_numbers_and_steps_are_refused() -> None:
    numbers, steps = pack_words(_words(3))
    lower = np.minimum(np.maximum(numbers, -120), 120).astype(np.int8)  # a finer step was possible
    beyond = numbers.copy()
    beyond[0, 0, 0] = -128
    more_digits = (steps * (1 + 2.0**-20)).astype(np.float32)
    for bad in (
        (lower, steps),
        (beyond, steps),
        (numbers, more_digits),
        (numbers, -steps),
        (numbers, np.full_like(steps, np.nan)),
        (numbers, np.full_like(steps, np.inf)),
        (numbers, steps[:2]),
        (numbers[0], steps[:1]),
    ):
        with pytest.raises(CorruptArtifactError, match="restore or train"):
            unpack_words(*bad)
