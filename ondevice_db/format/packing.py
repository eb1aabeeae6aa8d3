"""Small integers in few bytes: fixed-width bit packing, and Elias-Fano coding of the inverted lists.

A database holds two integers per fingerprint besides its code: the cell of a song's fingerprint, and the fingerprint
behind a cell's entry. Plain arrays would cost 2 + 4 bytes of every 18. Packed to the width of a cell number, and coded
as ascending lists (Elias 1974; Fano 1971; see Vigna, "Quasi-succinct indices", WSDM 2013), they cost under 4, and any
entry is still read at random with a few vectorised operations.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "concatenated_ranges",
    "decode_lists",
    "encode_lists",
    "n_blocks_of",
    "n_high_bytes",
    "n_packed_bytes",
    "pack",
    "unpack",
    "width_of",
]

_LOW_BITS = 16
_PADDING_BYTES = 2  # unpack() reads three bytes at a time


def width_of(n_values: int) -> int:
    """Return the bits that hold every integer in ``[0, n_values)``, at least 1."""
    return max(1, (n_values - 1).bit_length())


def n_packed_bytes(n_entries: int, n_bits: int) -> int:
    """Return the size of :func:`pack`'s result."""
    return (n_entries * n_bits + 7) // 8 + _PADDING_BYTES


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
    packed = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little")
    return np.concatenate([packed, np.zeros(_PADDING_BYTES, np.uint8)])


def unpack(packed: NDArray[np.uint8], indices: NDArray[np.int64], n_bits: int) -> NDArray[np.int64]:
    """Return the entries of a packed array at any indices.

    Parameters
    ----------
    packed : ndarray of uint8
        From :func:`pack`.
    indices : ndarray of int64 in [0, n), any shape
    n_bits : int in [1, 16]
    """
    bit = indices * n_bits
    byte = bit >> 3
    word = packed[byte].astype(np.int64)
    word |= packed[byte + 1].astype(np.int64) << 8
    word |= packed[byte + 2].astype(np.int64) << 16
    values: NDArray[np.int64] = (word >> (bit & 7)) & ((1 << n_bits) - 1)
    return values


def concatenated_ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``[s0, s0+1, ..., s0+c0-1, s1, ...]`` for the ranges (s, c), without a loop."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    positions: NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return positions


def n_blocks_of(universe: int) -> int:
    """Return how many blocks of 2**16 ids a universe of that many ids has."""
    return (universe + (1 << _LOW_BITS) - 1) >> _LOW_BITS


def n_high_bytes(n_entries: int, n_lists: int, universe: int) -> int:
    """Return the size of the bitmap that :func:`encode_lists` makes."""
    return (n_entries + n_lists * n_blocks_of(universe) + 7) // 8


def encode_lists(
    ids: NDArray[np.integer], list_starts: NDArray[np.integer], universe: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Code ascending lists of ids.

    Parameters
    ----------
    ids : ndarray of integers in [0, universe), shape (n,)
        The lists one after the other, each ascending.
    list_starts : ndarray of integers, shape (n_lists + 1,)
    universe : int

    Returns
    -------
    low : ndarray of uint16, shape (n,)
        The low 16 bits of every id.
    high : ndarray of uint8
        A bitmap: each list has a one per entry and a zero at the end of every block of 2**16 ids, so that the k-th
        one of a list stands at bit ``k + block``. A list's first bit follows from its number and ``list_starts``.
    """
    n_blocks = n_blocks_of(universe)
    starts = list_starts.astype(np.int64)
    list_of = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    wide = ids.astype(np.int64)
    # Entry number + zeros before it in this list + zeros of all lists before.
    bit = np.arange(wide.size) + (wide >> _LOW_BITS) + list_of * n_blocks
    bits = np.zeros(n_high_bytes(wide.size, starts.size - 1, universe) * 8, np.uint8)
    bits[bit] = 1
    return (wide & 0xFFFF).astype(np.uint16), np.packbits(bits, bitorder="little")


def decode_lists(
    lists: NDArray[np.int64],
    list_starts: NDArray[np.integer],
    low: NDArray[np.uint16],
    high: NDArray[np.uint8],
    universe: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids of some lists.

    Parameters
    ----------
    lists : ndarray of int64
        Numbers of the wanted lists.
    list_starts, low, high, universe
        As in :func:`encode_lists`.

    Returns
    -------
    ids : ndarray of int64
        The lists one after the other, in the order asked for.
    positions : ndarray of int64
        Where each entry stands in ``low`` (and in every array stored list by list).

    Raises
    ------
    ValueError
        When the bitmap does not hold as many ones as the lists have entries.
    """
    n_blocks = n_blocks_of(universe)
    starts = list_starts[lists].astype(np.int64)
    counts = list_starts[lists + 1].astype(np.int64) - starts
    bits = concatenated_ranges(starts + lists * n_blocks, counts + n_blocks)
    ones = np.flatnonzero((high[bits >> 3] >> (bits & 7).astype(np.uint8)) & 1)
    positions = concatenated_ranges(starts, counts)
    if ones.size != positions.size:
        message = f"expected {positions.size} entries in the lists' bitmap, found {ones.size}"
        raise ValueError(message)
    # The zeros before the k-th one, less those of the lists before, are its block.
    zeros_before = ones - np.arange(ones.size)
    block = zeros_before - np.repeat(np.arange(lists.size) * n_blocks, counts)
    return (block << _LOW_BITS) | low[positions].astype(np.int64), positions
