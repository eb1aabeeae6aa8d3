import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ondevice_db.format.packing import concatenated_ranges, n_packed_bytes, pack, unpack, width_of


@pytest.mark.parametrize(("n_values", "width"), [(1, 1), (2, 1), (3, 2), (1024, 10), (1025, 11), (65_536, 16)])
def test_width(n_values: int, width: int) -> None:
    assert width_of(n_values) == width


@given(n_bits=st.integers(1, 16), n=st.integers(0, 200), seed=st.integers(0, 99))
def test_packed_integers_come_back(n_bits: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << n_bits, n)
    packed = pack(values, n_bits)
    assert packed.size == n_packed_bytes(n, n_bits)
    np.testing.assert_array_equal(unpack(packed, n, n_bits), values)


def test_ranges() -> None:
    joined = concatenated_ranges(np.array([5, 9, 0]), np.array([2, 0, 3]))
    np.testing.assert_array_equal(joined, [5, 6, 0, 1, 2])
    assert concatenated_ranges(np.array([], np.int64), np.array([], np.int64)).size == 0
