"""From song order to cell order and back: the record of a radix sort, one bit a pass for each fingerprint.

Codes lie cell by cell, songs are sequences, so a search needs both directions: which fingerprint is this entry of a
cell's list, and where does this fingerprint's code lie? Two arrays of integers would cost four bytes a fingerprint. A
sort by the bits of the cell number, lowest bit first, is a stable partition in every pass; where a fingerprint goes
follows from its bit and from how many ones stand before it, and where it came from, from the same counts. So the bits
alone, which are no more than the cell numbers, give both directions and the cell (a wavelet matrix read from its lowest
bit: Claude, Navarro and Ordonez, "The wavelet matrix", Information Systems 2015). Counts of the ones are kept every 512
bits within every 65,536, which adds 3 %.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RadixOrder", "n_blocks_of", "n_supers_of", "n_words_of", "sort_by_cell"]

_WORD_BITS = 64
_BLOCK_WORDS = 8
_BLOCK_BITS = _WORD_BITS * _BLOCK_WORDS
_SUPER_BLOCKS = 128
_BLOCK_STEPS = 7  # halvings of 128
_ONE = np.uint64(1)


def n_blocks_of(n: int) -> int:
    """Return how many blocks of 512 bits hold n bits."""
    return (n + _BLOCK_BITS - 1) // _BLOCK_BITS


def n_supers_of(n: int) -> int:
    """Return how many runs of 65,536 bits hold n bits."""
    return (n_blocks_of(n) + _SUPER_BLOCKS - 1) // _SUPER_BLOCKS


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
    counts : ndarray of uint32, shape (n_passes, n_super + 1)
        Ones before each 65,536 bits of a pass; the last is their number.
    steps : ndarray of uint16, shape (n_passes, n_blocks)
        Ones between the begin of the 65,536 bits and each 512 of them.
    """

    n: int
    bits: NDArray[np.uint64]
    counts: NDArray[np.uint32]
    steps: NDArray[np.uint16]

    def places(self, fingerprints: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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

    def fingerprints(self, positions: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which fingerprints stand at positions of the cell order.

        Parameters
        ----------
        positions : ndarray of int64 in [0, n), shape (k,)
        cells : ndarray of int64, shape (k,)
            Whose entries they are.

        Raises
        ------
        ValueError
            When the counts lead out of the array.
        """
        at = positions
        for number in reversed(range(self.bits.shape[0])):
            n_zeros = self.n - int(self.counts[number, -1])
            bit = (cells >> number) & 1
            at = self._select(number, np.where(bit == 1, at - n_zeros, at), bit)
            _check(at, self.n)
        return at

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
            counts, steps = _counts_of(ones)
            if ones[self.n :].any() or (counts != self.counts[number]).any() or (steps != self.steps[number]).any():
                message = f"the counts of pass {number} differ from its bits"
                raise ValueError(message)
            mask = ones[: self.n].astype(np.bool_)
            found[order[mask]] |= 1 << number
            order = np.concatenate([order[~mask], order[mask]])
        return found

    def _rank(self, number: int, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the bit at each place of a pass, and the ones before it."""
        block, word = at // _BLOCK_BITS, at // _WORD_BITS
        words = self.bits[number].reshape(-1, _BLOCK_WORDS)[block]
        inside = (word % _BLOCK_WORDS)[:, None]
        column = np.arange(_BLOCK_WORDS)
        shift = (at % _WORD_BITS).astype(np.uint64)
        before = (_ONE << shift) - _ONE
        mask = np.where(column < inside, ~np.uint64(0), np.where(column == inside, before[:, None], np.uint64(0)))
        ones = _popcount(words & mask).sum(axis=1)
        ones += self.counts[number, block // _SUPER_BLOCKS].astype(np.int64) + self.steps[number, block]
        bit = (words[np.arange(at.size), inside[:, 0]] >> shift) & _ONE
        return bit.astype(np.int64), ones

    def _select(self, number: int, rank: NDArray[np.int64], bit: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the ``rank``-th one (or zero, where ``bit`` is 0) of a pass stands."""
        one = bit == 1
        counts = self.counts[number].astype(np.int64)
        zeros = np.minimum(np.arange(counts.size) * _SUPER_BLOCKS * _BLOCK_BITS, self.n) - counts
        found = np.where(
            one, np.searchsorted(counts, rank, side="right"), np.searchsorted(zeros, rank, side="right")
        )
        top = np.clip(found - 1, 0, counts.size - 2)
        rest = rank - np.where(one, counts[top], zeros[top])
        # The last block of these whose count of such bits before it is not above what is still to be passed.
        first = top * _SUPER_BLOCKS
        low = np.zeros(rank.size, np.int64)
        n_blocks = self.steps.shape[1]
        for step in range(_BLOCK_STEPS - 1, -1, -1):
            tried = low + (1 << step)
            block = np.minimum(first + tried, n_blocks - 1)
            before = self.steps[number, block].astype(np.int64)
            before = np.where(one, before, tried * _BLOCK_BITS - before)
            low = np.where((first + tried < n_blocks) & (before <= rest), tried, low)
        before = self.steps[number, np.minimum(first + low, n_blocks - 1)].astype(np.int64)
        rest -= np.where(one, before, low * _BLOCK_BITS - before)
        block = np.minimum(first + low, n_blocks - 1)
        words = self.bits[number].reshape(-1, _BLOCK_WORDS)[block]
        words = np.where(one[:, None], words, ~words)
        through = np.cumsum(_popcount(words), axis=1)
        word = np.minimum((through <= rest[:, None]).sum(axis=1), _BLOCK_WORDS - 1)
        each = np.arange(rank.size)
        rest -= np.where(word > 0, through[each, np.maximum(word - 1, 0)], 0)
        return block * _BLOCK_BITS + word * _WORD_BITS + _nth_one(words[each, word], rest)


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
    bits, counts, steps = [], [], []
    for number in range(n_bits):
        mask = ((here >> number) & 1).astype(np.bool_)
        ones = np.zeros(n_words_of(n) * _WORD_BITS, np.uint8)
        ones[:n] = mask
        bits.append(np.packbits(ones, bitorder="little").view("<u8"))
        passed = _counts_of(ones)
        counts.append(passed[0])
        steps.append(passed[1])
        here = np.concatenate([here[~mask], here[mask]])
    return np.argsort(cells, kind="stable"), RadixOrder(n, np.stack(bits), np.stack(counts), np.stack(steps))


def _counts_of(ones: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    per_block = ones.reshape(-1, _BLOCK_BITS).sum(axis=1, dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(per_block)])
    at_super = before[:-1][::_SUPER_BLOCKS]
    steps = before[:-1] - np.repeat(at_super, _SUPER_BLOCKS)[: per_block.size]
    return np.append(at_super, before[-1]).astype(np.uint32), steps.astype(np.uint16)


def _popcount(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(words).astype(np.int64)
    bytes_of = np.ascontiguousarray(words).view(np.uint8)  # NumPy 1
    return np.unpackbits(bytes_of).reshape(*words.shape, _WORD_BITS).sum(axis=-1, dtype=np.int64)


def _nth_one(words: NDArray[np.uint64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of the ``rank``-th one, counted from zero, in each word."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    through = np.cumsum(bits, axis=1, dtype=np.uint8)
    return np.argmax(through > rank[:, None], axis=1)


def _check(at: NDArray[np.int64], n: int) -> None:
    if at.size and not (0 <= int(at.min()) and int(at.max()) < n):
        message = "the counts of the radix sort lead outside the fingerprints"
        raise ValueError(message)
