"""Exhaustive search over float vectors."""

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import Neighbors, SearchOptions, top_k

__all__ = ["ExactIndex"]

_BLOCK = 1 << 18  # vectors that are compared at a time: 50 queries' similarities are 52 MB


class ExactIndex:
    """Every vector compared with every query: the ground truth that the other indexes are measured against.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows, song by song.
    cohort : ndarray of float32, shape (n, dim), optional
    """

    def __init__(self, vectors: NDArray[np.float32], cohort: NDArray[np.float32] | None = None) -> None:
        self._vectors = vectors
        self._cohort = cohort

    @property
    def cohort(self) -> NDArray[np.float32] | None:
        """Unit vectors of other music, for score normalization."""
        return self._cohort

    def nearest(
        self,
        queries: NDArray[np.float32],
        n_neighbors: int,
        options: SearchOptions,  # noqa: ARG002 (the protocol's)
    ) -> Neighbors:
        """Return the exactly nearest fingerprints."""
        positions = np.empty((len(queries), 0), np.int64)
        similarities = np.empty((len(queries), 0), np.float32)
        for start in range(0, max(1, len(self._vectors)), _BLOCK):
            there, similar = top_k(queries @ self._vectors[start : start + _BLOCK].T, n_neighbors)
            positions = np.hstack([positions, np.where(there < 0, there, there + start)])
            columns, similarities = top_k(np.hstack([similarities, similar]), n_neighbors)
            positions = np.take_along_axis(positions, columns, axis=1)
        return Neighbors(positions, similarities, self._vectors.shape[0])

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return stored vectors."""
        return self._vectors[fingerprints]

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002 (the protocol's)
        """Return stored vectors: they need no better estimate."""
        return self.vectors(fingerprints)
