import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondevice_db.format.packing import (
    concatenated_ranges,
    decode_lists,
    encode_lists,
    n_high_bytes,
    n_packed_bytes,
    pack,
    unpack,
    width_of,
)


@pytest.mark.parametrize(("n_values", "width"), [(1, 1), (2, 1), (3, 2), (1024, 10), (1025, 11), (65_536, 16)])
def test_width(n_values: int, width: int) -> None:
    assert width_of(n_values) == width


@given(n_bits=st.integers(1, 16), n=st.integers(0, 200), seed=st.integers(0, 99))
def test_packed_integers_come_back_in_any_order(n_bits: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << n_bits, n)
    packed = pack(values, n_bits)
    assert packed.size == n_packed_bytes(n, n_bits)
    order = rng.permutation(n)
    np.testing.assert_array_equal(unpack(packed, order, n_bits), values[order])


def test_ranges() -> None:
    joined = concatenated_ranges(np.array([5, 9, 0]), np.array([2, 0, 3]))
    np.testing.assert_array_equal(joined, [5, 6, 0, 1, 2])
    assert concatenated_ranges(np.array([], np.int64), np.array([], np.int64)).size == 0


@settings(max_examples=50)
@given(n_lists=st.integers(1, 12), universe=st.integers(1, 300_000), seed=st.integers(0, 999))
def test_lists_come_back(n_lists: int, universe: int, seed: int) -> None:
    """Over blocks of 65,536 ids, with empty lists, whole and in parts."""
    rng = np.random.default_rng(seed)
    wanted = [
        np.sort(rng.choice(universe, rng.integers(0, min(universe, 50) + 1), replace=False)) for _ in range(n_lists)
    ]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in wanted])])
    low, high = encode_lists(np.concatenate(wanted), starts, universe)
    assert high.size == n_high_bytes(int(starts[-1]), n_lists, universe)
    chosen = rng.permutation(n_lists)[: rng.integers(0, n_lists + 1)]
    ids, positions = decode_lists(chosen, starts, low, high, universe)
    np.testing.assert_array_equal(ids, np.concatenate([np.empty(0), *(wanted[one] for one in chosen)]))
    np.testing.assert_array_equal(low[positions], ids & 0xFFFF)


def test_a_bitmap_with_a_lost_bit_is_refused() -> None:
    starts = np.array([0, 3])
    low, high = encode_lists(np.array([1, 70_000, 70_001]), starts, 100_000)
    high[0] &= 0b11111110
    with pytest.raises(ValueError, match="expected 3 entries"):
        decode_lists(np.array([0]), starts, low, high, 100_000)
