import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pretraining.generation.ngrams import Bigram, unigram


@given(arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(2, 9)), elements=st.integers(0, 5)))
def test_probabilities_are_positive_and_sum_to_one(codes: np.ndarray) -> None:
    shares, pairs = unigram(codes, 6), Bigram(codes, 6).probabilities
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(pairs.sum(axis=1), 1)
    assert shares.min() > 0
    assert pairs.min() > 0


def test_nothing_is_counted_across_clips() -> None:
    codes = np.array([[0, 1, 2], [3, 4, 5]])
    pairs = Bigram(codes, 6).probabilities
    assert pairs[0, 1] > pairs[0, 3]
    assert pairs[2, 3] == pytest.approx(pairs[2, 0]), "3 follows nothing, as 0 does"


def test_many_pairs_give_the_chain_they_come_from(rng: np.random.Generator) -> None:
    chain = rng.dirichlet(np.ones(5), size=5)
    codes = np.zeros((200, 200), np.int64)
    for step in range(1, 200):
        codes[:, step] = (rng.random((200, 1)) > chain[codes[:, step - 1]].cumsum(axis=1)).sum(axis=1)
    np.testing.assert_allclose(Bigram(codes, 5).probabilities, chain, atol=0.02)
