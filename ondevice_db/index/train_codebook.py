"""Train a codebook with faiss: cells by spherical k-means, then words for what they leave over.

The words are those of a product quantizer after a rotation, or of a residual quantizer.

Many cells are trained in two steps, groups first and then the cells of each group on its own fingerprints: the time
grows with the root of their number instead of the number itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, needs_extra
from ondevice_db.format.layouts import CodeKind, code_fits
from ondevice_db.format.manifest import MAX_CELLS
from ondevice_db.index.coarse_quantizer import CoarseQuantizer
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.smoothing import fit_smoothing

__all__ = [
    "MIN_POINTS_PER_CELL",
    "SHIPPED_HOP_S",
    "SHIPPED_N_CELLS",
    "default_n_cells",
    "train_codebook",
    "with_smoothing",
]

MIN_POINTS_PER_CELL = 39
# Of the codebook that ships with a model.
SHIPPED_N_CELLS = 1024
SHIPPED_HOP_S = 1.0  # closer fingerprints say little more about how they are spread
_MOST_AT_ONCE = 2048  # cells that one k-means trains
_TRAINING_BEAM = 4
_MOST_RESIDUALS = 1 << 17  # that a residual quantizer learns from: 200 MB with the partial sums beside them
_MOST_SMOOTHED = 1 << 17  # that the map of references is fitted to


def default_n_cells(n_fingerprints: int) -> int:
    """Return a power of two near ``4 * sqrt(n_fingerprints)`` in [256, 16384] that leaves enough points per cell."""
    wanted = 4 * np.sqrt(max(n_fingerprints, 1))
    n_cells = 2 ** round(np.log2(max(wanted, 1)))
    most = 2 ** int(np.log2(max(n_fingerprints // MIN_POINTS_PER_CELL, 1)))
    return int(min(max(n_cells, 256), 16_384, max(most, 1)))


def train_codebook(
    embeddings: NDArray[np.float32],
    n_cells: int,
    *,
    n_subspaces: int = 12,
    kind: CodeKind = "product",
    seed: int = 0,
    centroids: NDArray[np.float32] | None = None,
) -> Codebook:
    """Train the quantizer of a kind of fingerprint.

    Parameters
    ----------
    embeddings : ndarray of float32, shape (n, dim)
        Unit rows from as much and as varied music as there is.
    n_cells : int in [1, 65536]
    n_subspaces : int
        Bytes per code; those of a product quantizer must divide ``dim``.
    kind : {"product", "residual"}
        What a byte names: a word for a part of the dimensions, or a whole vector.
    seed : int
    centroids : ndarray of float32, shape (n_cells, dim), optional
        Cells to keep, where only the rest is to be trained.

    Raises
    ------
    ConfigError
        When there are too few embeddings for so many cells.
    MissingExtraError
        When faiss is not installed.

    See Also
    --------
    with_smoothing : Fits the rest of a residual quantizer, for which songs must be whole.
    """
    with needs_extra("train", "training a codebook"):
        import faiss
    n, dim = embeddings.shape
    if not 1 <= n_cells <= MAX_CELLS or n < max(n_cells, 256):
        message = (
            f"codebook: expected at least {max(n_cells, 256)} embeddings, found {n}; use more music or fewer cells"
        )
        raise ConfigError(message)
    if not code_fits(n_subspaces, dim, kind):
        message = (
            f"codebook: expected code bytes that divide the {dim} dimensions, found {n_subspaces}; only residual codes "
            "may have any number of bytes"
        )
        raise ConfigError(message)
    vectors = l2_normalize(embeddings)
    if centroids is None:
        centroids = _cell_means(vectors, _cell_directions(faiss, vectors, n_cells, seed))
    residuals = vectors - centroids[_nearest(vectors, l2_normalize(centroids))]
    if kind == "residual":
        return Codebook(centroids, np.eye(dim, dtype=np.float32), _whole_words(faiss, residuals, n_subspaces, seed))
    transform = faiss.OPQMatrix(dim, n_subspaces)
    transform.niter, transform.verbose = 30, False
    transform.train(residuals)
    rotation = faiss.vector_to_array(transform.A).reshape(dim, dim).astype(np.float32)
    quantizer = faiss.ProductQuantizer(dim, n_subspaces, 8)
    quantizer.cp.seed, quantizer.cp.min_points_per_centroid = seed, 1
    quantizer.train(np.ascontiguousarray(residuals @ rotation.T))
    pq_centroids = faiss.vector_to_array(quantizer.centroids).reshape(n_subspaces, 256, dim // n_subspaces)
    return Codebook(centroids, rotation, pq_centroids.astype(np.float32))


def with_smoothing(codebook: Codebook, songs: Sequence[NDArray[np.float32]]) -> Codebook:
    """Return a residual quantizer with the map that smooths references fitted to songs; a product quantizer as it is.

    Parameters
    ----------
    codebook : Codebook
    songs : sequence of ndarray of float32, each of shape (n, dim)
        Unit rows in order, one a reference hop, zero for silence; the map is right for databases of this hop alone.
    """
    if codebook.kind == "product":
        return codebook
    songs = songs[:: -(-sum(map(len, songs)) // _MOST_SMOOTHED)]
    vectors = l2_normalize(np.concatenate(songs))
    decoded = codebook.decode(*codebook.quantize(vectors))
    decoded[~vectors.any(axis=1)] = 0
    starts = np.cumsum([0, *map(len, songs)])
    fitted = fit_smoothing(vectors @ codebook.rotation.T, decoded @ codebook.rotation.T, starts)
    return replace(codebook, smoothing=fitted)


def _whole_words(faiss: Any, residuals: NDArray[np.float32], n_bytes: int, seed: int) -> NDArray[np.float32]:
    """Train each byte's 256 vectors on what the best sums of the bytes before leave over."""
    n, dim = residuals.shape
    rows = np.unique(np.linspace(0, n - 1, min(n, _MOST_RESIDUALS)).astype(np.int64))
    quantizer = faiss.ResidualQuantizer(dim, n_bytes, 8)
    quantizer.max_beam_size = _TRAINING_BEAM
    quantizer.cp.seed, quantizer.cp.min_points_per_centroid = seed, 1
    quantizer.train(np.ascontiguousarray(residuals[rows]))
    words: NDArray[np.float32] = faiss.vector_to_array(quantizer.codebooks).reshape(n_bytes, 256, dim)
    return words.astype(np.float32)


def _cell_directions(faiss: Any, vectors: NDArray[np.float32], n_cells: int, seed: int) -> NDArray[np.float32]:
    if n_cells <= _MOST_AT_ONCE:
        return _kmeans(faiss, vectors, n_cells, seed)
    label = _nearest(vectors, _kmeans(faiss, vectors, round(np.sqrt(n_cells)), seed))
    sizes = np.bincount(label)
    sizes = sizes[sizes > 0]
    members = np.split(np.argsort(label, kind="stable"), np.cumsum(sizes)[:-1])
    # Each group gets its share of the cells, so that all lists come out about as long.
    ends = np.rint(np.cumsum(sizes) / vectors.shape[0] * n_cells).astype(np.int64)
    shares = np.diff(np.concatenate([[0], ends]))
    parts = [_kmeans(faiss, vectors[rows], int(n), seed) for rows, n in zip(members, shares, strict=True) if n]
    return np.concatenate(parts)


def _kmeans(faiss: Any, vectors: NDArray[np.float32], n: int, seed: int) -> NDArray[np.float32]:
    kmeans = faiss.Kmeans(
        vectors.shape[1], n, niter=25, seed=seed, spherical=True, min_points_per_centroid=1, verbose=False
    )
    kmeans.train(vectors)
    return l2_normalize(np.asarray(kmeans.centroids).reshape(n, vectors.shape[1]))


def _cell_means(vectors: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean vector of each cell, which leaves less over than its direction of length 1."""
    cells = _nearest(vectors, directions)
    sums = np.zeros(directions.shape, np.float64)
    np.add.at(sums, cells, vectors)
    counts = np.bincount(cells, minlength=directions.shape[0])
    means = sums / np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, means, directions).astype(np.float32)


def _nearest(vectors: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.int64]:
    return CoarseQuantizer(directions).nearest(vectors, 1)[:, 0]
