"""Annoy directly over the float vectors: for personal libraries of up to 2,000 songs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.format.arrays import open_array
from ondevice_db.format.manifest import DatabaseManifest
from ondevice_db.index.annoy_cells import AnnoyVectors
from ondevice_db.index.base import Neighbors, SearchOptions, top_k

__all__ = ["FLAT_MAX_SONGS", "FlatIndex"]

FLAT_MAX_SONGS = 2000


class FlatIndex:
    """The ``flat`` layout: unit vectors in song order and an Annoy index over them."""

    def __init__(self, vectors: NDArray[np.float32], annoy: AnnoyVectors) -> None:
        self._vectors = vectors
        self._annoy = annoy

    @classmethod
    def open(cls, files: Mapping[str, Path], manifest: DatabaseManifest, *, verified: bool = False) -> "FlatIndex":
        """Open the arrays of a database whose sizes and hashes have been checked.

        Raises
        ------
        CorruptArtifactError
            When the vectors' shape or number differs from the manifest or they are not of length 1.
        """
        vectors = open_array(files["vectors"], np.float32, (manifest.n_fingerprints, manifest.dim))
        norms = np.einsum("nd,nd->n", vectors, vectors)
        if not bool(((np.abs(norms - 1) < 1e-2) | (norms == 0)).all()) or int((norms > 0).sum()) != manifest.n_codes:
            message = f"{files['vectors']}: expected {manifest.n_codes} vectors of length 1; restore or rebuild it"
            raise CorruptArtifactError(message)
        annoy = AnnoyVectors(
            files["vectors_index"], n_items=manifest.n_fingerprints, dim=manifest.dim, verified=verified
        )
        return cls(vectors, annoy)

    @property
    def cohort(self) -> NDArray[np.float32] | None:
        """Return None: this layout holds nothing but the songs' own fingerprints."""
        return None

    def nearest(self, queries: NDArray[np.float32], n_neighbors: int, options: SearchOptions) -> Neighbors:
        """Return the fingerprints that Annoy finds nearest to each query, with exact inner products."""
        # Annoy's own default looks at n * n_trees items; fewer miss neighbors among thousands of vectors.
        search_k = max(options.search_k, options.min_scan // 2, 20 * n_neighbors)
        found = self._annoy.nearest(queries, min(n_neighbors, self._annoy.n_items), search_k)
        similarities = np.einsum("qkd,qd->qk", self._vectors[found], queries)
        # Silence has a zero vector, near to nothing.
        similarities[(found < 0) | (similarities == 0)] = -np.inf
        columns, values = top_k(similarities.astype(np.float32), n_neighbors)
        fingerprints = np.where(np.isfinite(values), np.take_along_axis(found, np.maximum(columns, 0), axis=1), -1)
        # Annoy visits at most search_k of its items.
        return Neighbors(fingerprints, values, min(search_k, self._annoy.n_items))

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return stored vectors."""
        return self._vectors[fingerprints]

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002 (the protocol's)
        """Return stored vectors: they need no better estimate."""
        return self.vectors(fingerprints)
