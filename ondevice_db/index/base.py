"""The answers that every kind of index gives: the nearest fingerprints of a query, and a fingerprint's vector."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.settings import require_counts

__all__ = ["FingerprintIndex", "Neighbors", "SearchOptions", "top_k"]

_SHARE, _MOST_TIMES, _LEAST_SHARE = 0.03, 4, 0.005  # evaluation/experiments/search_depth.py
_BOUND_SAMPLES = 16  # sampled values for each one wanted
_BOUND_SLACK = 1.5


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchOptions:
    """Settings of one query.

    Attributes
    ----------
    n_probe : int >= 1, optional
        Cells scanned for each query fingerprint; None scans the nearest cells until they hold as many codes as
        :meth:`n_to_scan` says.
    min_scan : int >= 1
        Codes to scan for a query where ``n_probe`` is None, and up to four times as many in a large database.
    search_k : int >= 1
        Items that Annoy looks at for each query fingerprint.
    n_neighbors : int >= 1
        Nearest fingerprints that count in the offset histogram, for each query fingerprint.
    n_candidates : int >= 1
        Alignments (song, offset) that are rescored.
    n_best : int >= 1
        Songs that a match lists.
    excluded_songs : tuple of int
        Song indices treated as if they were not in the database.
    """

    n_probe: int | None = None
    min_scan: int = 50_000
    search_k: int = 2000
    n_neighbors: int = 128
    n_candidates: int = 96
    n_best: int = 5
    excluded_songs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        names = ("min_scan", "search_k", "n_neighbors", "n_candidates", "n_best")
        require_counts(self, *names, *(() if self.n_probe is None else ("n_probe",)), table="search options")

    def n_to_scan(self, n_fingerprints: int) -> float:
        """Return how many codes to scan for a query in a database of so many fingerprints, if it holds as many.

        A small library is searched exhaustively. Where ``min_scan`` codes are less than 3 % of the database, noise and
        rooms lead queries to other cells than the song's, so that more are scanned, as far as a phone's time allows.
        """
        in_large = min(_SHARE * n_fingerprints, _MOST_TIMES * self.min_scan)
        return max(self.min_scan, in_large, _LEAST_SHARE * n_fingerprints)


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The nearest fingerprints of every query fingerprint.

    Attributes
    ----------
    fingerprints : ndarray of int64, shape (n_queries, n_neighbors)
        Fingerprint numbers, nearest first; -1 where there are fewer.
    similarities : ndarray of float32, shape (n_queries, n_neighbors)
        Inner products; -inf where there is no fingerprint.
    n_scanned : int
        Fingerprints compared with each query.
    """

    fingerprints: NDArray[np.int64]
    similarities: NDArray[np.float32]
    n_scanned: int


class FingerprintIndex(Protocol):
    """A searchable collection of fingerprints numbered song by song."""

    @property
    def cohort(self) -> NDArray[np.float32] | None:
        """Unit vectors of other music for score normalization, shape (n, dim), or None."""
        ...

    def nearest(self, queries: NDArray[np.float32], n_neighbors: int, options: SearchOptions) -> Neighbors:
        """Return the nearest fingerprints of each unit query vector."""
        ...

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the stored vectors of these fingerprint numbers, shape (n, dim)."""
        ...

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what the matcher compares with: stored vectors, or better estimates of what was stored.

        Parameters
        ----------
        fingerprints : ndarray of int64, shape (n,)
        song_starts : ndarray of int64, shape (n_slots + 1,)
            Of all songs of the collection.
        """
        ...


def top_k(
    similarities: NDArray[np.float32 | np.uint16], n_neighbors: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the columns of the largest values of each row, largest first.

    Parameters
    ----------
    similarities : ndarray of float32 or uint16, shape (n_queries, n)
    n_neighbors : int

    Returns
    -------
    columns : ndarray of int64, shape (n_queries, n_neighbors)
        -1 beyond ``n`` columns.
    values : ndarray of float32, shape (n_queries, n_neighbors)
        -inf beyond ``n`` columns.
    """
    n_queries, n = similarities.shape
    columns = np.full((n_queries, n_neighbors), -1, np.int64)
    values = np.full((n_queries, n_neighbors), -np.inf, np.float32)
    kept = min(n, n_neighbors)
    if kept == 1:
        columns[:, 0] = similarities.argmax(axis=1)
        values[:, 0] = similarities[np.arange(n_queries), columns[:, 0]]
        return columns, values
    for row in range(n_queries):
        here = np.ascontiguousarray(similarities[row])
        tried = _above_a_bound(here, kept)
        found = here[tried]
        best = np.argpartition(found, tried.size - kept)[tried.size - kept :] if kept < tried.size else slice(None)
        tried, found = tried[best], found[best].astype(np.float32)
        order = np.argsort(-found, kind="stable")
        columns[row, :kept], values[row, :kept] = tried[order], found[order]
    return columns, values


def _above_a_bound(values: NDArray[np.float32 | np.uint16], n: int) -> NDArray[np.int64]:
    """Return positions of at least the ``n`` largest values, and of not many more.

    A sample estimates the n-th largest value, and one comparison leaves few of a hundred thousand to be sorted.
    """
    stride = values.size // (_BOUND_SAMPLES * n)
    if stride > 1:
        sample = values[::stride]
        rank = sample.size - 1 - int(_BOUND_SLACK * n / stride)
        above = np.flatnonzero(values >= np.partition(sample, rank)[rank])
        if above.size >= n:
            return above
    return np.arange(values.size)
