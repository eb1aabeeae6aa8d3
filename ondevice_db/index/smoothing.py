"""References estimated from what is decoded of them and of both neighbors in their song.

Neighboring fingerprints overlap and the errors of their codes differ, so the neighbors take away part of a code's
error. Nothing more is stored for a song: one linear map goes with the codebook. Its rows are those for the dimensions
of the fingerprint before, of the fingerprint itself and of the one after, all rotated as codes are, and a constant.

A neighbor that is missing, because the song begins or ends there or is silent, counts as the other one; where both are
missing, as the fingerprint itself. Silence stays silence: a short vector, divided by a power of its length, would come
before all others.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["beside", "fit_prediction", "fit_smoothing", "predicted", "smoothed", "unsmoothed"]

Rows = NDArray[np.float32]
_BLOCK_ROWS = 4096


def unsmoothed(dim: int) -> Rows:
    """Return the map that leaves every vector as it is, shape (3 * dim + 1, dim)."""
    kept = np.zeros((3 * dim + 1, dim), np.float32)
    kept[dim : 2 * dim] = np.eye(dim)
    return kept


def smoothed(smoothing: NDArray[np.floating], before: Rows, own: Rows, after: Rows) -> Rows:
    """Return the estimates of vectors from their own and their neighbors' decoded ones.

    Parameters
    ----------
    smoothing : ndarray, shape (3 * dim + 1, dim)
    before, own, after : ndarray of float32, shape (n, dim)
        Rotated; zero where there is none, or for silence.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        Rotated; zero for silence.
    """
    before, after = _completed(before, own, after)
    estimate = predicted(np.concatenate([before, own, after], axis=1), smoothing)
    estimate[~own.any(axis=1)] = 0
    return estimate


def beside(decoded: Rows, starts: NDArray[np.integer]) -> tuple[Rows, Rows]:
    """Return the fingerprints before and after each one of whole songs; for missing ones, what counts instead.

    Parameters
    ----------
    decoded : ndarray of float32, shape (n, dim)
        Song by song; zero for silence.
    starts : ndarray of integers, shape (n_songs + 1,)
    """
    before, after = np.zeros_like(decoded), np.zeros_like(decoded)
    before[1:], after[:-1] = decoded[:-1], decoded[1:]
    bounds = np.asarray(starts)[1:-1]
    bounds = bounds[(bounds > 0) & (bounds < len(decoded))]  # songs without fingerprints may lie at the ends
    before[bounds], after[bounds - 1] = 0, 0
    return _completed(before, decoded, after)


def fit_smoothing(vectors: Rows, decoded: Rows, starts: NDArray[np.integer]) -> Rows:
    """Return the map that is fitted to songs' true vectors.

    Parameters
    ----------
    vectors, decoded : ndarray of float32, shape (n, dim)
        Both rotated, song by song; zero for silence, which is not learned from.
    starts : ndarray of integers, shape (n_songs + 1,)
    """
    before, after = beside(decoded, starts)
    sounding = vectors.any(axis=1) & decoded.any(axis=1)
    context = np.concatenate([before[sounding], decoded[sounding], after[sounding]], axis=1)
    return fit_prediction(context, vectors[sounding]).astype(np.float32)


def fit_prediction(context: Rows, wanted: Rows, ridge: float = 1e-3) -> NDArray[np.float64]:
    """Return the linear map, with its constant in the last row, from fingerprints' context to them."""
    n_inputs = context.shape[1] + 1
    square, products = np.zeros((n_inputs, n_inputs)), np.zeros((n_inputs, wanted.shape[1]))
    for at in range(0, len(context), _BLOCK_ROWS):
        part = context[at : at + _BLOCK_ROWS]
        inputs = np.concatenate([part, np.ones((len(part), 1))], axis=1).astype(np.float64)
        square += inputs.T @ inputs
        products += inputs.T @ wanted[at : at + _BLOCK_ROWS]
    square += ridge * len(context) / n_inputs * np.eye(n_inputs)
    weights: NDArray[np.float64] = np.linalg.solve(square, products)
    return weights


def predicted(context: Rows, weights: NDArray[np.floating]) -> Rows:
    """Apply a map of :func:`fit_prediction`."""
    rows: Rows = (context @ weights[:-1] + weights[-1]).astype(np.float32)
    return rows


def _completed(before: Rows, own: Rows, after: Rows) -> tuple[Rows, Rows]:
    has_before, has_after = before.any(axis=1, keepdims=True), after.any(axis=1, keepdims=True)
    before = np.where(has_before, before, np.where(has_after, after, own))
    return before, np.where(has_after, after, before)
