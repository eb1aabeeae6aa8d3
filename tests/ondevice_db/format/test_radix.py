"""The record of a radix sort leads both ways."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondevice_db.format.radix import RadixOrder, n_words_of, sort_by_cell


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 3000), n_bits=st.integers(1, 14), skew=st.floats(0.1, 4), seed=st.integers(0, 99))
def test_positions_and_fingerprints_are_the_stable_sort(n: int, n_bits: int, skew: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = (rng.random(n) ** skew * (1 << n_bits)).astype(np.int64)
    order, record = sort_by_cell(cells, n_bits)
    np.testing.assert_array_equal(order, np.argsort(cells, kind="stable"))
    asked = rng.permutation(n)[: rng.integers(1, n + 1)]
    found, positions = record.locate(asked)
    np.testing.assert_array_equal(found, cells[asked])
    np.testing.assert_array_equal(order[positions], asked)
    np.testing.assert_array_equal(record.fingerprints(positions), asked)
    np.testing.assert_array_equal(record.cells(), cells)
    np.testing.assert_array_equal(record.cell_counts(), np.bincount(cells, minlength=1 << n_bits))


@pytest.mark.parametrize("n", [511, 512, 513, 65_535, 65_536, 65_537, 200_001])
def test_edges_of_blocks(n: int) -> None:
    cells = np.random.default_rng(n).integers(0, 5, n)
    order, record = sort_by_cell(cells, 3)
    edges = np.unique(np.clip([0, 1, 511, 512, 513, 65_535, 65_536, 65_537, n - 2, n - 1], 0, n - 1))
    positions = record.locate(edges)[1]
    np.testing.assert_array_equal(order[positions], edges)
    np.testing.assert_array_equal(record.fingerprints(edges), order[edges])
    np.testing.assert_array_equal(record.cell_counts(), np.bincount(cells, minlength=8))
    assert record.bits.shape == (3, n_words_of(n))
    assert record.bits.nbytes + record.counts.nbytes < 1.07 * 3 * n / 8 + 300


def test_popcount_of_old_numpy_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = np.random.default_rng(3).integers(0, 40, 5000)
    _, record = sort_by_cell(cells, 6)
    expected = record.locate(np.arange(5000))
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    for ours, theirs in zip(record.locate(np.arange(5000)), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("part", ["bits", "counts", "beyond"])
def test_damage_is_found_by_a_check_of_everything(part: str) -> None:
    _, record = sort_by_cell(np.random.default_rng(1).integers(0, 9, 2000), 4)
    parts = {name: getattr(record, name).copy() for name in ("bits", "counts")}
    if part == "beyond":  # the 2000th bit of a pass is none of its fingerprints
        parts["bits"][1, 2000 // 64] ^= np.uint64(1 << 2000 % 64)
        parts["counts"][1, -1] += 1
    else:
        parts[part][1, 1] ^= parts[part].dtype.type(4)
    damaged = RadixOrder(2000, **parts)
    for check in (damaged.cells, damaged.cell_counts):
        with pytest.raises(ValueError, match="differ from its bits"):
            check()


def test_counts_that_lead_outside_are_refused() -> None:
    _, record = sort_by_cell(np.random.default_rng(1).integers(0, 9, 2000), 4)
    counts = record.counts.copy()
    counts[:, -1] = 4_000_000
    with pytest.raises(ValueError, match="outside"):
        RadixOrder(2000, record.bits, counts).locate(np.arange(2000))
