"""From song order to cell order and back: the record of a radix sort, one bit a pass for each fingerprint.

Codes lie cell by cell, songs are sequences, so a search needs both directions: which fingerprint is this entry of a
cell's list, and where does this fingerprint's code lie? Two arrays of integers would cost four bytes a fingerprint. A
sort by the bits of the cell number, lowest bit first, is a stable partition in every pass; where a fingerprint goes
follows from its bit and from how many ones stand before it, and where it came from, from the same counts. So the bits
alone, which are no more than the cell numbers, give both directions and the cell (a wavelet matrix read from its lowest
bit: Claude, Navarro and Ordonez, "The wavelet matrix", Information Systems 2015). The ones are counted
every 512 bits, which adds 6 %.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RadixOrder", "n_blocks_of", "n_words_of", "sort_by_cell"]

_WORD_BITS = 64
_BLOCK_WORDS = 8
_BLOCK_BITS = _WORD_BITS * _BLOCK_WORDS
_ONE = np.uint64(1)
_WORDS = np.arange(_BLOCK_WORDS)[:, None]
_BYTES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
_ONES_OF_BYTE = _BYTES.sum(axis=1, dtype=np.uint8)
_NTH_ONE = np.argsort(1 - _BYTES, axis=1, kind="stable")  # of each byte: where its ones stand, in order
_EVERY_BYTE = np.uint64(0x0101010101010101)
_TOP_BITS = _EVERY_BYTE << np.uint64(7)


def n_blocks_of(n: int) -> int:
    """Return how many blocks of 512 bits hold n bits."""
    return (n + _BLOCK_BITS - 1) // _BLOCK_BITS


def n_words_of(n: int) -> int:
    """Return how many words of 64 bits a pass over n fingerprints takes."""
    return n_blocks_of(n) * _BLOCK_WORDS


@dataclass(frozen=True, slots=True)
class RadixOrder:
    """The passes of a sort of fingerprints by cell.

    Attributes
    ----------
    n : int >= 1
        Fingerprints.
    bits : ndarray of uint64, shape (n_passes, n_words)
        Bit i of pass p (lowest bit of a word first) is bit p of the cell of the i-th fingerprint before that pass.
    counts : ndarray of uint32, shape (n_passes, n_blocks + 1)
        Ones before each 512 bits of a pass; the last is their number.
    """

    n: int
    bits: NDArray[np.uint64]
    counts: NDArray[np.uint32]

    def locate(self, fingerprints: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells of fingerprints and their positions in cell order.

        Parameters
        ----------
        fingerprints : ndarray of int64 in [0, n), shape (k,)

        Raises
        ------
        ValueError
            When the counts lead out of the array.
        """
        cells = np.zeros(fingerprints.size, np.int64)
        at = fingerprints
        for number in range(self.bits.shape[0]):
            bit, ones = self._rank(number, at)
            cells |= bit << number
            at = np.where(bit == 1, self.n - int(self.counts[number, -1]) + ones, at - ones)
            _check(at, self.n)
        return cells, at

    def fingerprints(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which fingerprints stand at positions of the cell order.

        Parameters
        ----------
        positions : ndarray of int64 in [0, n), shape (k,)

        Raises
        ------
        ValueError
            When the counts lead out of the array.
        """
        order = np.argsort(positions, kind="stable")
        at = positions[order]
        block_starts = np.arange(self.counts.shape[1], dtype=np.uint32) * np.uint32(_BLOCK_BITS)
        for number in reversed(range(self.bits.shape[0])):
            found = self._select(number, at, block_starts)
            _check(found, self.n)
            # Zeros and ones are each in order still; a stable sort does no more than merge them.
            merged = np.argsort(found, kind="stable")
            at, order = found[merged], order[merged]
        fingerprints = np.empty_like(at)
        fingerprints[order] = at
        return fingerprints

    def cells(self) -> NDArray[np.int64]:
        """Return the cell of every fingerprint in song order, and check the counts on the way.

        Raises
        ------
        ValueError
            When the counts differ from the bits.
        """
        found = np.zeros(self.n, np.int64)
        order = np.arange(self.n)
        for number in range(self.bits.shape[0]):
            ones = np.unpackbits(self.bits[number].view(np.uint8), bitorder="little")
            if ones[self.n :].any() or (_counts_of(ones) != self.counts[number]).any():
                message = f"the counts of pass {number} differ from its bits"
                raise ValueError(message)
            mask = ones[: self.n].astype(np.bool_)
            found[order[mask]] |= 1 << number
            order = np.concatenate([order[~mask], order[mask]])
        return found

    def cell_counts(self) -> NDArray[np.int64]:
        """Return how many fingerprints each cell has, and check the counts on the way, in little time and memory.

        Returns
        -------
        ndarray of int64, shape (2 ** n_passes,)

        Raises
        ------
        ValueError
            When the counts differ from the bits.
        """
        # Where, in the order before each pass, the fingerprints begin whose cells have the same lower bits.
        begins = np.array([0, self.n])
        for number in range(self.bits.shape[0]):
            blocks = _popcount(self.bits[number].reshape(-1, _BLOCK_WORDS)).sum(axis=1, dtype=np.int64)
            last, ones = self._rank(number, np.array([self.n - 1]))
            agree = np.array_equal(np.concatenate([[0], np.cumsum(blocks)]), self.counts[number])
            if not agree or int(last[0] + ones[0]) != int(self.counts[number, -1]):  # none beyond the fingerprints
                message = f"the counts of pass {number} differ from its bits"
                raise ValueError(message)
            upto = np.full(begins.size, int(self.counts[number, -1]))
            inside = begins < self.n
            upto[inside] = self._rank(number, begins[inside])[1]
            n_ones = np.diff(upto)
            begins = np.concatenate([[0], np.cumsum([np.diff(begins) - n_ones, n_ones])])
        return np.diff(begins)

    def _rank(self, number: int, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the bit at each position of a pass, and the ones before it."""
        block, word = at // _BLOCK_BITS, at // _WORD_BITS
        inside = word % _BLOCK_WORDS
        counts = _popcount(self._words(number, block))
        here, shift = self.bits[number, word], (at % _WORD_BITS).astype(np.uint64)
        ones = (counts * (inside > _WORDS)).sum(axis=0, dtype=np.int64)
        ones += _popcount(here & ((_ONE << shift) - _ONE))
        ones += self.counts[number, block]
        return ((here >> shift) & _ONE).astype(np.int64), ones

    def _select(self, number: int, at: NDArray[np.int64], block_starts: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the positions before a pass of what is at ascending positions after it: zeros first, then ones."""
        passed = self.counts[number]
        n_zeros = self.n - int(passed[-1])
        n_from_zeros = int(np.searchsorted(at, n_zeros))
        rest = at.copy()
        rest[n_from_zeros:] -= n_zeros
        blocks = []
        for rows, counts in ((slice(n_from_zeros), block_starts - passed), (slice(n_from_zeros, None), passed)):
            found = counts.searchsorted(rest[rows].astype(np.uint32), side="right") - 1
            blocks.append(np.minimum(found, counts.size - 2))  # damaged counts: what follows is refused
            rest[rows] -= counts[blocks[-1]]
        block = np.concatenate(blocks)
        words = self._words(number, block)
        np.invert(words[:, :n_from_zeros], out=words[:, :n_from_zeros])  # a zero is then a one that is looked for
        passed_words = _popcount(words).astype(np.uint16)
        for before, here in itertools.pairwise(passed_words):
            np.add(before, here, out=here)
        short = (passed_words <= rest.astype(np.uint16)).view(np.uint8)
        word = np.minimum(short.sum(axis=0, dtype=np.uint8).astype(np.intp), _BLOCK_WORDS - 1)
        each = np.arange(at.size)
        rest -= np.where(word > 0, passed_words[word - 1, each], 0)
        found_at: NDArray[np.int64] = block * _BLOCK_BITS + word * _WORD_BITS + _nth_one(words[word, each], rest)
        return found_at

    def _words(self, number: int, blocks: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the words of blocks, shape (8, n): long rows, over which NumPy is quick."""
        return np.ascontiguousarray(self.bits[number].reshape(-1, _BLOCK_WORDS).take(blocks, axis=0).T)


def sort_by_cell(cells: NDArray[np.integer], n_bits: int) -> tuple[NDArray[np.int64], RadixOrder]:
    """Sort fingerprints by their cells, keeping their order within a cell, and record the way.

    Parameters
    ----------
    cells : ndarray of integers in [0, 2**n_bits), shape (n,), n >= 1
    n_bits : int >= 1

    Returns
    -------
    order : ndarray of int64, shape (n,)
        Fingerprint at every position.
    record : RadixOrder
    """
    n, here = cells.size, cells
    bits, counts = [], []
    for number in range(n_bits):
        mask = ((here >> number) & 1).astype(np.bool_)
        ones = np.zeros(n_words_of(n) * _WORD_BITS, np.uint8)
        ones[:n] = mask
        bits.append(np.packbits(ones, bitorder="little").view("<u8"))
        counts.append(_counts_of(ones))
        here = np.concatenate([here[~mask], here[mask]])
    return np.argsort(cells, kind="stable"), RadixOrder(n, np.stack(bits), np.stack(counts))


def _counts_of(ones: NDArray[np.uint8]) -> NDArray[np.uint32]:
    per_block = ones.reshape(-1, _BLOCK_BITS).sum(axis=1, dtype=np.int64)
    return np.concatenate([[0], np.cumsum(per_block)]).astype(np.uint32)


def _popcount(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    if hasattr(np, "bitwise_count"):
        ones: NDArray[np.uint8] = np.bitwise_count(words)
        return ones
    bytes_of = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 8)  # NumPy 1
    summed: NDArray[np.uint8] = _ONES_OF_BYTE[bytes_of].sum(axis=-1, dtype=np.uint8)
    return summed


def _nth_one(words: NDArray[np.uint64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the ``rank``-th one of each word stands.

    All bytes of a word are looked at together (Vigna, "Broadword implementation of rank/select queries", WEA 2008).
    """
    wanted = np.clip(rank, 0, _WORD_BITS - 1).astype(np.uint64)
    pairs = words - ((words >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    # Byte i: the ones up to it. A byte whose ones are no more than wanted keeps its top bit in the difference.
    up_to = ((fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F) * _EVERY_BYTE
    byte = _popcount(((wanted * _EVERY_BYTE | _TOP_BITS) - up_to) & _TOP_BITS).astype(np.uint64)
    shift = np.minimum(byte, 7) << 3
    here, before = (words >> shift) & 255, ((up_to << 8) >> shift) & 255
    inner = np.minimum(wanted - before, 7)
    found: NDArray[np.int64] = shift.astype(np.int64) + _NTH_ONE[here.astype(np.intp), inner.astype(np.intp)]
    return found


def _check(at: NDArray[np.int64], n: int) -> None:
    if at.size and not (int(at.min()) >= 0 and int(at.max()) < n):
        message = "the counts of the radix sort lead outside the fingerprints"
        raise ValueError(message)
