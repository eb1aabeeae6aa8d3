"""Codes of whole vectors: what the beam finds, and that a code decodes to the sum of its words."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondevice_db.index.residual_quantizer import ResidualEncoder, sum_of_words


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
    starts, codes, errors = ResidualEncoder(words).encode(residuals, beam)
    np.testing.assert_allclose(errors, _errors(words, residuals, starts, codes), rtol=1e-3, atol=1e-5)
    left = residuals[:, 0].astype(np.float64)
    for of_byte in words:
        left = left - of_byte[np.square(left[:, None] - of_byte).sum(axis=2).argmin(axis=1)]
    assert (errors <= np.square(left).sum(axis=1) * (1 + 1e-3) + 1e-5).all()


def _plain_search(words: np.ndarray, starts: np.ndarray, beam: int) -> tuple[int, list[int], float]:
    """The start, the code and its squared error that a beam search of one vector finds, sum by sum and in float64."""
    sums: list[tuple[float, int, list[int], np.ndarray]] = [
        (0.0, number, [], start) for number, start in enumerate(starts.astype(np.float64))
    ]
    for of_byte in words:
        longer = []
        for _, start, code, left in sums:
            rests = left - of_byte
            longer += [(float(np.square(rest).sum()), start, [*code, word], rest) for word, rest in enumerate(rests)]
        sums = sorted(longer, key=lambda one: one[0])[:beam]
    error, start, code, _ = sums[0]
    return start, code, error


@given(
    n=st.integers(1, 5),
    n_starts=st.integers(1, 4),
    n_bytes=st.sampled_from([1, 2, 5, 7]),
    beam=st.sampled_from([2, 3, 16]),
    seed=st.integers(0, 999),
)
@settings(max_examples=30, deadline=None)
def test_the_search_is_that_of_a_plain_beam(n: int, n_starts: int, n_bytes: int, beam: int, seed: int) -> None:
    """Rows of products are looked up over several levels and sums that died are dropped: nothing of it may show."""
    rng = np.random.default_rng(seed)
    words, residuals = _words(rng, n_bytes, 8), rng.standard_normal((n, n_starts, 8)).astype(np.float32)
    starts, codes, errors = ResidualEncoder(words).encode(residuals, beam)
    for row, (start, code, error) in enumerate(_plain_search(words, one, beam) for one in residuals):
        if errors[row] < error * (1 - 1e-4):  # the words taken one by one, which this beam dropped
            assert (starts[row], codes[row].tolist()) == _plain_search(words, residuals[row, :1], 1)[:2]
        else:
            assert (starts[row], codes[row].tolist()) == (start, code)


def test_equal_words_are_found_too(rng: np.random.Generator) -> None:
    """Where many sums are equally good, the best of them is still found."""
    words = np.repeat(_words(rng, 6, 4)[:, ::64], 64, axis=1)
    residuals = np.concatenate([np.zeros((3, 2, 4), np.float32), rng.standard_normal((9, 2, 4)).astype(np.float32)])
    starts, codes, errors = ResidualEncoder(words).encode(residuals)
    np.testing.assert_allclose(errors, _errors(words, residuals, starts, codes), rtol=1e-4, atol=1e-6)
    greedy = ResidualEncoder(words).encode(residuals, 1)[2]
    assert (errors <= greedy + 1e-6).all()


def test_vectors_do_not_depend_on_those_that_are_coded_with_them(rng: np.random.Generator) -> None:
    words, residuals = _words(rng, 5, 6), rng.standard_normal((150, 3, 6)).astype(np.float32)
    encoder = ResidualEncoder(words)
    together = encoder.encode(residuals)
    apart = [encoder.encode(residuals[rows : rows + 1]) for rows in range(0, 150, 10)]
    np.testing.assert_array_equal(together[1][::10], np.concatenate([codes for _, codes, _ in apart]))


def test_without_a_beam_each_byte_names_the_nearest_word(rng: np.random.Generator) -> None:
    words, residuals = _words(rng, 4, 6), rng.standard_normal((50, 1, 6)).astype(np.float32)
    _, codes, _ = ResidualEncoder(words).encode(residuals, 1)
    left = residuals[:, 0].copy()
    for column, of_byte in zip(codes.T, words, strict=True):
        np.testing.assert_array_equal(column, np.square(left[:, None] - of_byte).sum(axis=2).argmin(axis=1))
        left -= of_byte[column]


def test_a_wide_beam_finds_the_best_sum_of_all(rng: np.random.Generator) -> None:
    words, residuals = _words(rng, 2, 4), rng.standard_normal((20, 2, 4)).astype(np.float32)
    sums = (words[0][:, None] + words[1]).reshape(-1, 4)
    best = [min(np.square(row - sums).sum(axis=1).min() for row in rows) for rows in residuals]
    np.testing.assert_allclose(ResidualEncoder(words).encode(residuals, 2 * 256)[2], best, rtol=1e-3, atol=1e-6)
    greedy = ResidualEncoder(words).encode(residuals, 1)[2]
    assert (greedy > np.array(best) * 1.01).any(), "there is something to find"


def test_sums_of_words_are_exact(rng: np.random.Generator) -> None:
    words = _words(rng, 3, 4)
    codes = np.array(list(itertools.product([0, 7, 255], repeat=3)), np.uint8)
    expected = [words[0][a].astype(np.float64) + words[1][b] + words[2][c] for a, b, c in codes]
    np.testing.assert_allclose(sum_of_words(words, codes), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 64, 65])
def test_any_number_of_rows(rng: np.random.Generator, n: int) -> None:
    words, residuals = _words(rng, 3, 4), rng.standard_normal((n, 2, 4)).astype(np.float32)
    starts, codes, errors = ResidualEncoder(words).encode(residuals)
    assert (starts.shape, codes.shape, errors.shape) == ((n,), (n, 3), (n,))
