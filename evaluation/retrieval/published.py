"""The retrieval of the published systems, to be compared with ours on the same fingerprints."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "diagonal_mean", "majority_sequence"]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one query.

    Attributes
    ----------
    song : int
        -1 for none.
    place : int
        Number within the song of the reference fingerprint that the query begins with; -1 where no sequence was found.
    """

    song: int
    place: int


def majority_sequence(nearest: NDArray[np.int64], song_starts: NDArray[np.int64]) -> Found:
    """Return the most frequent song, at the sequence of which at least half was retrieved.

    After Singh, Demuynck and Arora, "Attention-Based Audio Embeddings for Query-by-Example" (ISMIR 2022).

    Parameters
    ----------
    nearest : ndarray of int64, shape (n_queries,)
        The nearest reference of each query fingerprint, one reference hop after the other; -1 for none.
    song_starts : ndarray of int64, shape (n_songs + 1,)
    """
    position = np.flatnonzero(nearest >= 0)
    if position.size == 0:
        return Found(-1, -1)
    hits = nearest[position]
    songs = np.searchsorted(song_starts, hits, side="right") - 1
    counts = np.bincount(songs)
    song = int(np.argmax(counts))
    kept = songs == song
    retrieved = np.unique(hits[kept])
    begins = np.unique(hits[kept] - position[kept])
    within = np.isin(begins[:, None] + np.arange(nearest.size), retrieved).mean(axis=1)
    best = int(np.argmax(within))
    return Found(song, int(begins[best] - song_starts[song]) if within[best] >= 0.5 else -1)


def diagonal_mean(
    queries: NDArray[np.float32],
    nearest: NDArray[np.int64],
    vectors_of: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    song_starts: NDArray[np.int64],
) -> Found:
    """Return the sequence with the largest mean inner product among those that the nearest references begin.

    After Chang et al., "Neural Audio Fingerprint for High-specific Audio Retrieval" (ICASSP 2021).

    Parameters
    ----------
    queries : ndarray of float32, shape (n_queries, dim)
    nearest : ndarray of int64, shape (n_queries, k)
        References nearest to each query fingerprint; -1 for none.
    vectors_of : callable
        Gives the stored vectors of reference numbers.
    song_starts : ndarray of int64, shape (n_songs + 1,)
    """
    rows, _ = np.nonzero(nearest >= 0)
    begins = np.unique(nearest[nearest >= 0] - rows)
    begins = begins[begins >= 0]
    if begins.size == 0:
        return Found(-1, -1)
    places = begins[:, None] + np.arange(len(queries))
    inside = places < song_starts[-1]
    unique, inverse = np.unique(np.minimum(places, song_starts[-1] - 1), return_inverse=True)
    references = vectors_of(unique)[inverse.reshape(places.shape)]
    scores = (np.einsum("bnd,nd->bn", references, queries) * inside).mean(axis=1)
    best = int(begins[np.argmax(scores)])
    song = int(np.searchsorted(song_starts, best, side="right") - 1)
    return Found(song, best - int(song_starts[song]))
