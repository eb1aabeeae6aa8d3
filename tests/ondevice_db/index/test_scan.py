"""The scan's sums in 16 bits order codes as exact sums do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ondevice_db.index.scan import scan


def _exact(tables, coarse, codes, cell_of):
    return sum(tables[m][codes[:, m]] for m in range(codes.shape[1])) + coarse[cell_of]


@given(
    n_queries=st.integers(1, 40),
    n_subspaces=st.sampled_from([6, 8, 12, 16, 24]),
    n=st.integers(1, 5000),
    offset=st.floats(-3, 3),
    seed=st.integers(0, 99),
)
def test_sums_follow_the_exact_ones(n_queries: int, n_subspaces: int, n: int, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = rng.normal(offset, 0.1, (n_subspaces, 256, n_queries)).astype(np.float32)
    coarse = rng.normal(0, 0.3, (7, n_queries)).astype(np.float32)
    codes = rng.integers(0, 256, (n, n_subspaces), dtype=np.uint8)
    cell_of = rng.integers(0, 7, n)
    sums = scan(tables, coarse, codes, cell_of).astype(np.float64)
    exact = _exact(tables, coarse, codes, cell_of).astype(np.float64)
    span = np.ptp(tables, axis=1).sum(axis=0) + np.ptp(coarse, axis=0)
    steps = exact.T * (65_000 / span)[:, None]
    # One offset a query, and half a step of rounding for each term.
    error = sums - steps
    assert (np.ptp(error, axis=1) <= n_subspaces + 2).all()


def test_extremes_do_not_wrap_around() -> None:
    tables = np.zeros((24, 256, 3), np.float32)
    tables[:, 1] = 1.0
    coarse = np.array([[0.0] * 3, [5.0] * 3], np.float32)
    codes = np.array([[1] * 24, [0] * 24], np.uint8)
    sums = scan(tables, coarse, codes, np.array([1, 0]))
    assert (sums[:, 0] >= 64_900).all()
    assert (sums[:, 1] == 0).all()


def test_equal_codes_and_a_single_cell_make_no_division_by_zero() -> None:
    same = scan(
        np.ones((6, 256, 1), np.float32),
        np.ones((1, 1), np.float32),
        np.zeros((5, 6), np.uint8),
        np.zeros(5, np.int64),
    )
    assert len(set(same[0].tolist())) == 1
