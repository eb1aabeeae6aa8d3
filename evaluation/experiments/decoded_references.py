"""References as codes decode to them: brought nearer to the truth by their neighbors, and answered by the matcher.

The matcher interpolates between a song's references, which takes away part of a code's error; so two kinds of codes
differ less in its answers than in a comparison of single fingerprints.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import SearchOptions
from ondevice_db.index.exact import ExactIndex
from ondevice_db.index.normalize import power_normalize
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import Songs

__all__ = ["DecodedIndex", "beside", "fit_prediction", "matched_songs", "predicted", "smoothed"]

Rows = NDArray[np.float32]


class DecodedIndex(ExactIndex):
    """Exhaustive search over decoded references, which a database of codes does too while it is small.

    Parameters
    ----------
    decoded : ndarray of float32, shape (n, dim)
        Song by song; zero for silence.
    cohort : ndarray of float32, shape (n, dim), optional
    """

    def __init__(self, decoded: Rows, cohort: Rows | None = None) -> None:
        super().__init__(power_normalize(decoded), cohort)
        self._decoded = decoded

    def vectors(self, fingerprints: NDArray[np.int64]) -> Rows:
        """Return decoded vectors as a database of codes does: their lengths are the matcher's business."""
        return self._decoded[fingerprints]


def matched_songs(
    database: Songs, decoded: Rows, queries: Sequence[Rows], hop_s: float, options: SearchOptions | None = None
) -> NDArray[np.int64]:
    """Return the song that each query is answered with first, -1 for none, if references decode to these.

    Parameters
    ----------
    database : Songs
    decoded : ndarray of float32, shape (n_fingerprints, dim)
    queries : sequence of ndarray of float32, each of shape (n, dim)
    hop_s : float, seconds
        Between a query's fingerprints.
    options : SearchOptions, optional
    """
    matcher = Matcher(database, index=DecodedIndex(decoded, database.index.cohort))
    found = [matcher.match(query, hop_s, options).candidates for query in queries]
    return np.array([one[0].song_index if one else -1 for one in found], np.int64)


def smoothed(vectors: Rows, starts: NDArray[np.int64], is_train: NDArray[np.bool_], decoded: Rows) -> Rows:
    """Return decoded references estimated linearly from their own code and those of both neighbors.

    Nothing more is stored: neighbors overlap, and their codes' errors differ.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        True references; zero for silence.
    starts : ndarray of int64, shape (n_songs + 1,)
    is_train : ndarray of bool, shape (n,)
        Those that the estimate is fitted to.
    decoded : ndarray of float32, shape (n, dim)
    """
    sounding = vectors.any(axis=1)
    context = np.concatenate([beside(decoded, starts), decoded], axis=1)
    weights = fit_prediction(context[is_train & sounding], vectors[is_train & sounding])
    estimate = predicted(context, weights)
    estimate[~sounding] = 0
    return estimate


def beside(decoded: Rows, starts: NDArray[np.int64]) -> Rows:
    """Return the fingerprints before and after each one side by side; at a song's end the one that there is twice."""
    numbers = np.arange(len(decoded))
    first, last = np.repeat(starts[:-1], np.diff(starts)), np.repeat(starts[1:] - 1, np.diff(starts))
    before, after = (
        np.where(numbers > first, numbers - 1, numbers + 1),
        np.where(numbers < last, numbers + 1, numbers - 1),
    )
    return np.concatenate([decoded[np.clip(before, first, last)], decoded[np.clip(after, first, last)]], axis=1)


def fit_prediction(context: Rows, wanted: Rows, ridge: float = 1e-3) -> NDArray[np.float64]:
    """Return the linear map, with its constant in the last row, from both neighbors to a fingerprint."""
    inputs = np.concatenate([context, np.ones((len(context), 1))], axis=1).astype(np.float64)
    square = inputs.T @ inputs + ridge * len(inputs) / inputs.shape[1] * np.eye(inputs.shape[1])
    weights: NDArray[np.float64] = np.linalg.solve(square, inputs.T @ wanted)
    return weights


def predicted(context: Rows, weights: NDArray[np.float64]) -> Rows:
    """Apply a map of :func:`fit_prediction`."""
    rows: Rows = (context @ weights[:-1] + weights[-1]).astype(np.float32)
    return rows
