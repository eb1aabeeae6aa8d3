"""Codes whose bytes each name one of 256 whole vectors; their sum is what is left over from the cell.

    x ~ m[c] + B[0][k[0]] + B[1][k[1]] + ...

(Chen et al., "Approximate nearest neighbor search by residual vector quantization", Sensors 2010; Babenko and
Lempitsky, "Additive quantization for extreme vector compression", CVPR 2014.) A query's inner product with the sum is
one table look-up a byte, as with a product quantizer. Which words to add is a search: from byte to byte the best
partial sums are followed, beginning with several near cells.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BEAM", "encode_by_beam", "sum_of_words"]

BEAM = 16  # partial sums that are followed from one byte to the next
_N_WORDS = 256
_BLOCK_ROWS = 64  # the products of their partial sums with 256 words then stay in the cache


def sum_of_words(words: NDArray[np.float32], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the sum of the words that each code names.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim)
    codes : ndarray of uint8, shape (n, n_bytes)

    Returns
    -------
    ndarray of float32, shape (n, dim)
    """
    total: NDArray[np.float32] = words[0].take(codes[:, 0], axis=0)
    for of_byte, column in zip(words[1:], codes.T[1:], strict=True):
        total += of_byte.take(column, axis=0)
    return total


def encode_by_beam(
    words: NDArray[np.float32], residuals: NDArray[np.float32], beam: int = BEAM
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32]]:
    """Return the start and the code that leave the smallest error found, for each row.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim)
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
    n = residuals.shape[0]
    starts, errors = np.zeros(n, np.int64), np.empty(n, np.float32)
    codes = np.empty((n, words.shape[0]), np.uint8)
    half_norms = 0.5 * np.einsum("mkd,mkd->mk", words, words)
    for first in range(0, n, _BLOCK_ROWS):
        rows = slice(first, first + _BLOCK_ROWS)
        block = residuals[rows]
        starts[rows], codes[rows], errors[rows] = _search(words, half_norms, block, beam)
        if beam > 1:
            # A beam may drop the words that a search without one ends with.
            nearest, greedy, left = _search(words, half_norms, block[:, :1], 1)
            better = first + np.flatnonzero(left < errors[rows])
            starts[better], codes[better], errors[better] = (one[better - first] for one in (nearest, greedy, left))
    return starts, codes, errors


def _search(
    words: NDArray[np.float32], half_norms: NDArray[np.float32], residuals: NDArray[np.float32], beam: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32]]:
    n, n_starts, dim = residuals.shape
    each = np.arange(n)[:, None]
    left = residuals
    # Half of the squared lengths: ||r - b||^2 / 2 = ||r||^2 / 2 - (r.b - ||b||^2 / 2).
    halves = 0.5 * np.einsum("nsd,nsd->ns", left, left)
    starts = np.broadcast_to(np.arange(n_starts), (n, n_starts))
    codes = np.empty((n, n_starts, 0), np.uint8)
    for of_byte, norms in zip(words, half_norms, strict=True):
        kept = left.shape[1]
        gains = (left.reshape(-1, dim) @ of_byte.T).reshape(n, kept, _N_WORDS)
        gains -= norms
        gains -= halves[:, :, None]
        flat = gains.reshape(n, -1)
        if beam == 1:
            best = flat.argmax(axis=1)[:, None]
        elif beam < flat.shape[1]:
            best = np.argpartition(flat, -beam, axis=1)[:, -beam:]
        else:
            best = np.broadcast_to(np.arange(flat.shape[1]), flat.shape)
        parents, chosen = best // _N_WORDS, best % _N_WORDS
        halves = -np.take_along_axis(flat, best, axis=1)
        left = left[each, parents] - of_byte[chosen]
        starts = np.take_along_axis(starts, parents, axis=1)
        codes = np.concatenate([codes[each, parents], chosen[:, :, None].astype(np.uint8)], axis=2)
    last = halves.argmin(axis=1)
    row = each[:, 0]
    rest = left[row, last]
    return starts[row, last].copy(), codes[row, last], np.einsum("nd,nd->n", rest, rest)
