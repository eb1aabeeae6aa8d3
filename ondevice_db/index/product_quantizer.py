"""Codes whose bytes each name one of 256 words for a part of the dimensions: the nearest one in each part."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_by_parts", "join_words"]


def encode_by_parts(
    words: NDArray[np.float32], residuals: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32]]:
    """Return the start and the code that leave the smallest error, for each row.

    Parameters
    ----------
    words : ndarray of float32, shape (n_bytes, 256, dim // n_bytes)
    residuals : ndarray of float32, shape (n, n_starts, dim)
        What each of several cells, the nearest first, leaves over of a vector.

    Returns
    -------
    starts : ndarray of int64 in [0, n_starts), shape (n,)
    codes : ndarray of uint8, shape (n, n_bytes)
    errors : ndarray of float32, shape (n,)
        Squared lengths of what is left over.
    """
    n, n_starts, dim = residuals.shape
    n_bytes, rows = words.shape[0], residuals.reshape(-1, dim)
    codes = np.empty((len(rows), n_bytes), np.uint8)
    errors = np.einsum("nd,nd->n", rows, rows)
    # ||r - p||^2 = ||r||^2 - 2 (r.p - ||p||^2 / 2), whose bracket is largest for the nearest p; a column of ones
    # beside r lets the product subtract the half norm.
    half_norms = 0.5 * np.einsum("mkd,mkd->mk", words, words)
    tables = np.concatenate([words, -half_norms[:, :, None]], axis=2).transpose(0, 2, 1)
    parts = np.ones((n_bytes, len(rows), tables.shape[1]), np.float32)
    parts[:, :, :-1] = rows.reshape(len(rows), n_bytes, -1).transpose(1, 0, 2)
    each = np.arange(len(rows))
    for m in range(n_bytes):
        gains = parts[m] @ tables[m]
        best = np.argmax(gains, axis=1)
        codes[:, m] = best
        errors -= 2 * gains[each, best]
    starts = errors.reshape(n, n_starts).argmin(axis=1)
    chosen = n_starts * np.arange(n) + starts
    return starts, codes[chosen], errors[chosen]


def join_words(words: NDArray[np.float32], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the vectors that codes stand for, shape (n, dim): their words side by side."""
    rows = codes + np.arange(words.shape[0]) * words.shape[1]
    parts: NDArray[np.float32] = words.reshape(-1, words.shape[2]).take(rows.ravel(), axis=0)
    return parts.reshape(codes.shape[0], words.shape[0] * words.shape[2])
