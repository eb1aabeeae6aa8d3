"""Codes of whole vectors: what the beam finds, and that a code decodes to the sum of its words."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondevice_db.index.residual_quantizer import encode_by_beam, sum_of_words


def _words(rng: np.random.Generator, n_bytes: int, dim: int) -> np.ndarray:
    return (0.7 ** np.arange(n_bytes)[:, None, None] * rng.standard_normal((n_bytes, 256, dim))).astype(np.float32)


def _errors(words: np.ndarray, residuals: np.ndarray, starts: np.ndarray, codes: np.ndarray) -> np.ndarray:
    chosen = residuals[np.arange(len(residuals)), starts]
    return np.square(chosen - sum_of_words(words, codes)).sum(axis=1)


@given(
    n=st.integers(1, 70),
    n_starts=st.integers(1, 4),
    n_bytes=st.integers(2, 6),
    beam=st.sampled_from([2, 3, 8, 300]),
    seed=st.integers(0, 999),
)
@settings(max_examples=40, deadline=None)
def test_a_beam_is_never_worse_than_words_taken_one_by_one(
    n: int, n_starts: int, n_bytes: int, beam: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    words, residuals = _words(rng, n_bytes, 5), rng.standard_normal((n, n_starts, 5)).astype(np.float32)
    starts, codes, errors = encode_by_beam(words, residuals, beam)
    np.testing.assert_allclose(errors, _errors(words, residuals, starts, codes), rtol=1e-3, atol=1e-5)
    left = residuals[:, 0].astype(np.float64)
    for of_byte in words:
        left = left - of_byte[np.square(left[:, None] - of_byte).sum(axis=2).argmin(axis=1)]
    assert (errors <= np.square(left).sum(axis=1) * (1 + 1e-3) + 1e-5).all()


def test_without_a_beam_each_byte_names_the_nearest_word(rng: np.random.Generator) -> None:
    words, residuals = _words(rng, 4, 6), rng.standard_normal((50, 1, 6)).astype(np.float32)
    _, codes, _ = encode_by_beam(words, residuals, 1)
    left = residuals[:, 0].copy()
    for column, of_byte in zip(codes.T, words, strict=True):
        np.testing.assert_array_equal(column, np.square(left[:, None] - of_byte).sum(axis=2).argmin(axis=1))
        left -= of_byte[column]


def test_a_wide_beam_finds_the_best_sum_of_all(rng: np.random.Generator) -> None:
    words, residuals = _words(rng, 2, 4), rng.standard_normal((20, 2, 4)).astype(np.float32)
    sums = (words[0][:, None] + words[1]).reshape(-1, 4)
    best = [min(np.square(row - sums).sum(axis=1).min() for row in rows) for rows in residuals]
    np.testing.assert_allclose(encode_by_beam(words, residuals, 2 * 256)[2], best, rtol=1e-3, atol=1e-6)
    greedy = encode_by_beam(words, residuals, 1)[2]
    assert (greedy > np.array(best) * 1.01).any(), "there is something to find"


def test_sums_of_words_are_exact(rng: np.random.Generator) -> None:
    words = _words(rng, 3, 4)
    codes = np.array(list(itertools.product([0, 7, 255], repeat=3)), np.uint8)
    expected = [words[0][a].astype(np.float64) + words[1][b] + words[2][c] for a, b, c in codes]
    np.testing.assert_allclose(sum_of_words(words, codes), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 64, 65])
def test_any_number_of_rows(rng: np.random.Generator, n: int) -> None:
    words, residuals = _words(rng, 3, 4), rng.standard_normal((n, 2, 4)).astype(np.float32)
    starts, codes, errors = encode_by_beam(words, residuals)
    assert (starts.shape, codes.shape, errors.shape) == ((n,), (n, 3), (n,))
