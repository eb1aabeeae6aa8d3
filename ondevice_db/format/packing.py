"""Small integers in few bits, and ranges joined without a loop."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["concatenated_ranges", "n_packed_bytes", "pack", "unpack", "width_of"]


def width_of(n_values: int) -> int:
    """Return the bits that hold every integer in ``[0, n_values)``, at least 1."""
    return max(1, (n_values - 1).bit_length())


def n_packed_bytes(n_entries: int, n_bits: int) -> int:
    """Return the size of :func:`pack`'s result."""
    return (n_entries * n_bits + 7) // 8


def pack(values: NDArray[np.integer], n_bits: int) -> NDArray[np.uint8]:
    """Pack integers into ``n_bits`` each, lowest bit first.

    Parameters
    ----------
    values : ndarray of integers in [0, 2**n_bits), shape (n,)
    n_bits : int in [1, 16]

    Returns
    -------
    ndarray of uint8
    """
    bits = (values.astype(np.uint32)[:, None] >> np.arange(n_bits, dtype=np.uint32)) & 1
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little")


def unpack(packed: NDArray[np.uint8], n: int, n_bits: int) -> NDArray[np.int64]:
    """Return the first ``n`` integers of a packed array.

    Parameters
    ----------
    packed : ndarray of uint8
        From :func:`pack`.
    n : int
    n_bits : int in [1, 16]
    """
    bits = np.unpackbits(packed, count=n * n_bits, bitorder="little").reshape(n, n_bits)
    values: NDArray[np.int64] = bits @ (1 << np.arange(n_bits))
    return values


def concatenated_ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``[s0, s0+1, ..., s0+c0-1, s1, ...]`` for the ranges (s, c), without a loop."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    positions: NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return positions
