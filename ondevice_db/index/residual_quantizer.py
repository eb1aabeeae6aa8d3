"""Codes whose bytes each name one of 256 whole vectors; their sum is what is left over from the cell.

    x ~ m[c] + B[0][k[0]] + B[1][k[1]] + ...

(Chen et al., "Approximate nearest neighbor search by residual vector quantization", Sensors 2010; Babenko and
Lempitsky, "Additive quantization for extreme vector compression", CVPR 2014.) A query's inner product with the sum is
one table look-up a byte, as with a product quantizer. Which words to add is a search: from byte to byte the best
partial sums are followed, beginning with several near cells.

What a byte's words would gain is a row of 256 products with what a partial sum leaves over, and sums of one vector have
most of their words in common. So these rows are not computed one by one: that of a sum is the row of the sum that it
was made from, less the products of its last word with the byte's words, which are known beforehand. Only sums some
bytes back, of which two or three are left by then, are multiplied with the words.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BEAM", "ResidualEncoder", "sum_of_words"]

BEAM = 16  # partial sums that are followed from one byte to the next
_N_WORDS = 256
_BLOCK_ROWS = 128  # that are searched at once: 6 MB of rows of products, and few calls of NumPy
_LEVELS = 4  # last words whose products are looked up; with fewer, more sums are multiplied

Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]


def sum_of_words(words: Rows, codes: NDArray[np.uint8]) -> Rows:
    """Return the sum of the words that each code names.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim)
    codes : ndarray of uint8, shape (n, n_bytes)

    Returns
    -------
    ndarray of float32, shape (n, dim)
    """
    total: Rows = words[0].take(codes[:, 0], axis=0)
    for of_byte, column in zip(words[1:], codes.T[1:], strict=True):
        total += of_byte.take(column, axis=0)
    return total


class ResidualEncoder:
    """Finds codes of vectors; keeps the products of words with those of the bytes after, 256 KB for each pair of bytes.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim)
    """

    def __init__(self, words: Rows) -> None:
        self._words = words
        self._half_norms: Rows = 0.5 * np.einsum("mkd,mkd->mk", words, words)
        self._products = [
            [words[of] @ words[at].T for of in range(max(0, at - _LEVELS), at)] for at in range(len(words))
        ]

    def encode(self, residuals: Rows, beam: int = BEAM) -> tuple[Numbers, NDArray[np.uint8], Rows]:
        """Return the start and the code that leave the smallest error found, for each row.

        Parameters
        ----------
        residuals : ndarray of float32, shape (n, n_starts, dim)
            What each of several cells, the nearest first, leaves over of a vector.
        beam : int >= 1

        Returns
        -------
        starts : ndarray of int64 in [0, n_starts), shape (n,)
        codes : ndarray of uint8, shape (n, n_bytes)
        errors : ndarray of float32, shape (n,)
            Squared lengths of what is left over; never above that of the nearest cell's words taken one by one.
        """
        n, n_starts, _ = residuals.shape
        starts, codes = np.zeros(n, np.int64), np.empty((n, len(self._words)), np.uint8)
        # Allocated once: to get as much anew from the system for every byte takes longer than the sums.
        scratch = np.empty((3, min(n, _BLOCK_ROWS) * max(beam, n_starts), _N_WORDS), np.float32)
        for first in range(0, n, _BLOCK_ROWS):
            rows = slice(first, first + _BLOCK_ROWS)
            starts[rows], codes[rows] = self._search(residuals[rows], beam, scratch)
        errors = self._errors(residuals[np.arange(n), starts], codes)
        # A beam may drop the words that a search without one ends with.
        greedy = self._one_by_one(residuals[:, 0])
        left = self._errors(residuals[:, 0], greedy)
        better = left < errors
        starts[better], codes[better], errors[better] = 0, greedy[better], left[better]
        return starts, codes, errors

    def _search(self, residuals: Rows, beam: int, scratch: Rows) -> tuple[Numbers, NDArray[np.uint8]]:
        """Return starts and codes of a block.

        A partial sum of a vector is a place in rows of ``kept`` places a vector. Before ``tree``, the last levels of
        sums, each as (places on the level before, last words), stand the sums that ``base`` is left over from.
        """
        n, kept, dim = residuals.shape
        base = np.ascontiguousarray(residuals).reshape(-1, dim)
        # Half of the squared lengths: ||r - b||^2 / 2 = ||r||^2 / 2 - (r.b - ||b||^2 / 2).
        halves: Rows = 0.5 * np.einsum("nd,nd->n", base, base)
        starts = np.tile(np.arange(kept), n)
        codes = np.empty((len(base), len(self._words)), np.uint8)
        tree: list[tuple[Numbers, Numbers]] = []
        for at, (of_byte, products) in enumerate(zip(self._words, self._products, strict=True)):
            gains, spare, looked_up = scratch
            np.matmul(base, of_byte.T, out=gains[: len(base)])
            gains[: len(base)] -= self._half_norms[at]
            for (parents, last), table in zip(tree, products, strict=True):
                size = len(parents)
                np.take(gains, parents, axis=0, out=spare[:size], mode="clip")
                np.take(table, last, axis=0, out=looked_up[:size], mode="clip")
                spare[:size] -= looked_up[:size]
                gains, spare = spare, gains
            left = gains[: n * kept]
            left -= halves[:, None]
            n_wanted = beam if at < len(self._words) - 1 else 1
            parents, chosen, values = _best(left.reshape(n, kept, _N_WORDS), n_wanted)
            halves = -values
            starts, codes = starts[parents], codes[parents]
            codes[:, at] = chosen
            kept = len(parents) // n
            tree.append((parents, chosen))
            base = _prune(tree, base)
            if len(tree) > _LEVELS:
                parents, chosen = tree.pop(0)
                base = base[parents] - self._words[at - _LEVELS][chosen]
        return starts, codes

    def _one_by_one(self, residuals: Rows) -> NDArray[np.uint8]:
        """Return the codes of words that are each the nearest to what those before leave over."""
        codes = np.empty((len(residuals), len(self._words)), np.uint8)
        for first in range(0, len(residuals), _BLOCK_ROWS):
            rows = slice(first, first + _BLOCK_ROWS)
            left = residuals[rows]
            for at, (of_byte, half_norms) in enumerate(zip(self._words, self._half_norms, strict=True)):
                codes[rows, at] = chosen = (left @ of_byte.T - half_norms).argmax(axis=1)
                left = left - of_byte[chosen]
        return codes

    def _errors(self, residuals: Rows, codes: NDArray[np.uint8]) -> Rows:
        rest = residuals - sum_of_words(self._words, codes)
        squares: Rows = np.einsum("nd,nd->n", rest, rest)
        return squares


def _best(gains: Rows, n: int) -> tuple[Numbers, Numbers, Rows]:
    """Return the ``n`` best continuations of each vector's partial sums, one vector's after the other.

    Parameters
    ----------
    gains : ndarray of float32, shape (n_vectors, kept, 256)
        Of each partial sum of a vector and each word.

    Returns
    -------
    places, words : ndarrays of int64, shape (n_vectors * n,)
        The sum, counted over all vectors, and the word; of fewer continuations than ``n`` all.
    values : ndarray of float32, shape (n_vectors * n,)
    """
    n_vectors, kept, _ = gains.shape
    flat = gains.reshape(-1)
    if n == 1:
        best = gains.reshape(n_vectors, -1).argmax(axis=1) + np.arange(n_vectors) * kept * _N_WORDS
    elif n >= kept * _N_WORDS:
        best = np.arange(flat.size)
    elif n >= _N_WORDS:
        best = _largest(gains.reshape(n_vectors, -1), n)
    else:
        # The n largest are of the n words whose largest are largest: a sixteenth of the numbers to be put in order.
        words = _largest(gains.max(axis=1), n).reshape(n_vectors, 1, n) % _N_WORDS
        candidates = (np.arange(n_vectors * kept) * _N_WORDS).reshape(n_vectors, kept, 1) + words
        best = candidates.reshape(-1)[_largest(flat.take(candidates).reshape(n_vectors, -1), n)]
    return best >> 8, best & (_N_WORDS - 1), flat.take(best)


def _largest(values: Rows, n: int) -> Numbers:
    """Return the places, counted over all rows, of the ``n`` largest values of each row.

    NumPy puts values in order several times faster than their numbers.
    """
    places = np.flatnonzero(values >= np.partition(values, -n, axis=1)[:, -n, None])
    if places.size != len(values) * n:  # more than n, because some are equal
        columns = np.argpartition(values, -n, axis=1)[:, -n:]
        places = (columns + np.arange(len(values))[:, None] * values.shape[1]).reshape(-1)
    return places


def _prune(tree: list[tuple[Numbers, Numbers]], base: Rows) -> Rows:
    """Take the sums from which none is left out of all levels but the last, and out of ``base``, which is returned."""
    for level in range(len(tree) - 1, -1, -1):
        parents, chosen = tree[level]
        alive = np.zeros(len(tree[level - 1][0]) if level else len(base), bool)
        alive[parents] = True
        number = np.cumsum(alive)
        number -= 1
        tree[level] = number[parents], chosen
        if level:
            before, words = tree[level - 1]
            tree[level - 1] = before[alive], words[alive]
        else:
            base = base[alive]
    return base
