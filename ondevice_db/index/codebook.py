"""The quantizer of fingerprints: coarse cells, a rotation, and words for the residual.

With a product quantizer, a fingerprint x is stored as its cell c(x) and one byte per sub-space:

    x ~ m[c] + R^T p,   p = the nearest product-quantizer centroids to R (x - m[c])

(Jegou et al., "Product quantization for nearest neighbor search", TPAMI 2011; Ge et al., "Optimized product
quantization", CVPR 2013). With a residual quantizer each byte names a whole vector, and p is their sum: better codes of
equal length, for more work when they are made (:mod:`ondevice_db.index.residual_quantizer`), and a map by which the
matcher's references are smoothed (:mod:`ondevice_db.index.smoothing`) goes with it. In both a query stays
exact: its inner product with the stored vector is ``q.m[c]`` plus one table look-up a byte, and the tables do not
depend on the cell.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.format.layouts import CodeKind, code_fits
from ondevice_db.format.words import round_words
from ondevice_db.index.coarse_quantizer import CoarseQuantizer
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.product_quantizer import encode_by_parts, join_words
from ondevice_db.index.residual_quantizer import ResidualEncoder, sum_of_words
from ondevice_db.index.smoothing import unsmoothed

__all__ = ["CODEBOOK_FILES", "CODEBOOK_ROLES", "PRODUCT_ROLES", "RESIDUAL_ROLES", "Codebook", "same_codebook"]

PRODUCT_ROLES = ("centroids", "rotation", "pq_centroids")
RESIDUAL_ROLES = ("centroids", "rotation", "words", "word_steps", "smoothing")
CODEBOOK_ROLES = tuple(dict.fromkeys(PRODUCT_ROLES + RESIDUAL_ROLES))
CODEBOOK_FILES = (*CODEBOOK_ROLES, "cohort", "cells")  # of a database; no song changes them
_ARRAYS = ("centroids", "rotation", "pq_centroids", "smoothing", "cohort")
_N_CENTROIDS = 256
_BLOCK_ROWS = 512  # that are coded at once: 3 MB of what several cells leave over
_MAX_MAGNITUDE = 4.0


def _unset() -> NDArray[np.float32]:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Codebook:
    """Coarse cells and the words of codes.

    Attributes
    ----------
    centroids : ndarray of float32, shape (n_cells, dim)
        Mean fingerprint of each cell; a fingerprint belongs to the cell at the smallest angle.
    rotation : ndarray of float32, shape (dim, dim)
        Orthogonal; applied to the residual.
    pq_centroids : ndarray of float32, shape (n_subspaces, 256, width)
        The words that bytes name: ``width`` is ``dim // n_subspaces`` with a product quantizer, ``dim`` with a residual
        one, whose words are rounded to those that can be stored (:mod:`ondevice_db.format.words`).
    cohort : ndarray of float32, shape (n, dim)
        Unit vectors of other music for score normalization; by default the directions of the cells. Acceptance is
        fitted with the shipped ones, so a codebook with other cells takes them over.
    smoothing : ndarray of float32, shape (3 * dim + 1, dim)
        Of a residual quantizer, by default one that changes nothing; empty of a product quantizer.
    """

    centroids: NDArray[np.float32]
    rotation: NDArray[np.float32]
    pq_centroids: NDArray[np.float32]
    cohort: NDArray[np.float32] = field(default_factory=_unset, compare=False)
    smoothing: NDArray[np.float32] = field(default_factory=_unset, compare=False)
    _nearest: CoarseQuantizer | None = field(default=None, init=False, repr=False, compare=False)
    _encoder: ResidualEncoder | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        dim = self.centroids.shape[-1]
        n_subspaces = self.pq_centroids.shape[0]
        width = dim if self.kind == "residual" else dim // max(n_subspaces, 1)
        expected = {
            "centroids": (self.centroids.shape[0], dim),
            "rotation": (dim, dim),
            "pq_centroids": (n_subspaces, _N_CENTROIDS, width),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float32 or array.size == 0:
                message = f"codebook {name}: expected float32 {shape}, found {array.dtype} {array.shape}"
                raise ConfigError(message)
        if not code_fits(n_subspaces, dim, self.kind):
            message = f"codebook: {n_subspaces} sub-spaces do not divide {dim} dimensions"
            raise ConfigError(message)
        if self.cohort.size == 0:
            object.__setattr__(self, "cohort", l2_normalize(self.centroids))
        if self.cohort.shape[1:] != (dim,) or self.cohort.dtype != np.float32:
            message = f"codebook cohort: expected float32 (n, {dim}), found {self.cohort.shape}"
            raise ConfigError(message)
        if self.kind == "residual" and self.smoothing.size == 0:
            object.__setattr__(self, "smoothing", unsmoothed(dim))
        fitting = (3 * dim + 1, dim) if self.kind == "residual" else (0, 0)
        if self.smoothing.shape != fitting or self.smoothing.dtype != np.float32:
            message = f"codebook smoothing: expected float32 {fitting} with {self.kind} codes, found "
            message += f"{self.smoothing.dtype} {self.smoothing.shape}"
            raise ConfigError(message)
        if self.kind == "residual":
            object.__setattr__(self, "pq_centroids", round_words(self.pq_centroids))

    def check(self) -> None:
        """Check every number: parts of unit vectors; a damaged exponent must not overflow the sums.

        Raises
        ------
        CorruptArtifactError
            When one is too large, or NaN.
        """
        for name in _ARRAYS:
            if not (np.abs(getattr(self, name)) <= _MAX_MAGNITUDE).all():
                message = f"codebook {name}: expected numbers within +-{_MAX_MAGNITUDE:g}; restore or train it again"
                raise CorruptArtifactError(message)

    @property
    def kind(self) -> CodeKind:
        """What a code's bytes name: parts of a vector ("product"), or whole vectors to be added ("residual")."""
        n_bytes, width = self.pq_centroids.shape[0], self.pq_centroids.shape[-1]
        return "residual" if n_bytes > 1 and width == self.centroids.shape[-1] else "product"

    @property
    def roles(self) -> tuple[str, ...]:
        """The arrays that are stored of it, without a cohort."""
        return RESIDUAL_ROLES if self.kind == "residual" else PRODUCT_ROLES

    @property
    def has_own_cohort(self) -> bool:
        """Whether the cohort is another one than the directions of the cells, which follow from these."""
        return not np.array_equal(self.cohort, l2_normalize(self.centroids))

    @property
    def n_cells(self) -> int:
        """Number of coarse cells."""
        return int(self.centroids.shape[0])

    @property
    def dim(self) -> int:
        """Dimensions of a fingerprint."""
        return int(self.centroids.shape[1])

    @property
    def n_subspaces(self) -> int:
        """Bytes of a code."""
        return int(self.pq_centroids.shape[0])

    def unsmoothed(self) -> "Codebook":
        """Return it for fingerprints that its map was not fitted to, such as those of another hop than the model's."""
        return replace(self, smoothing=_unset())

    def assign(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the cell of each row: the centroid at the smallest angle."""
        return self.nearest_cells(vectors, 1)[:, 0]

    def nearest_cells(self, vectors: NDArray[np.float32], n: int) -> NDArray[np.int64]:
        """Return the ``n`` cells at the smallest angles from each row, nearest first, shape (rows, n)."""
        if self._nearest is None:
            object.__setattr__(self, "_nearest", CoarseQuantizer(l2_normalize(self.centroids)))
        assert self._nearest is not None  # noqa: S101 (set above)
        return self._nearest.nearest(vectors, n)

    def quantize(self, vectors: NDArray[np.float32], n_tried: int = 4) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return cells and codes, trying several near cells and keeping the one that leaves the smallest error.

        A fingerprint near the border of two cells is often better described from the other one. Measured with a
        half-trained encoder, this brings queries of a single fingerprint two points of rank-1.

        Parameters
        ----------
        vectors : ndarray of float32, shape (n, dim)
        n_tried : int >= 1

        Returns
        -------
        cells : ndarray of int64, shape (n,)
        codes : ndarray of uint8, shape (n, n_subspaces)
        """
        near = self.nearest_cells(vectors, min(n_tried, self.n_cells))
        cells = np.empty(vectors.shape[0], np.int64)
        codes = np.empty((vectors.shape[0], self.n_subspaces), np.uint8)
        for start in range(0, vectors.shape[0], _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            tried = near[rows]
            left: NDArray[np.float32] = (vectors[rows, None] - self.centroids[tried]).reshape(-1, self.dim)
            rotated = (left @ self.rotation.T).reshape(*tried.shape, self.dim)
            best, codes[rows], _ = self._encode(rotated)
            cells[rows] = np.take_along_axis(tried, best[:, None], axis=1)[:, 0]
        return cells, codes

    def _encode(
        self, residuals: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32]]:
        if self.kind == "product":
            return encode_by_parts(self.pq_centroids, residuals)
        if self._encoder is None:
            object.__setattr__(self, "_encoder", ResidualEncoder(self.pq_centroids))
        assert self._encoder is not None  # noqa: S101 (set above)
        return self._encoder.encode(residuals)

    def decode(self, cells: NDArray[np.int64], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the stored approximation of each row, shape (n, dim); its length is a little below 1."""
        decoded: NDArray[np.float32] = self.residual(codes) @ self.rotation
        decoded += self.centroids[cells]
        return decoded

    def residual(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the decoded residuals, still rotated, shape (n, dim).

        With the cells' centroids rotated as well, lengths and inner products with rotated queries are those of
        :meth:`decode`, for less work where cells are fewer than codes.
        """
        if self.kind == "residual":
            return sum_of_words(self.pq_centroids, codes)
        return join_words(self.pq_centroids, codes)

    def tables(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inner product of every query, rotated, with every word; of its part with those of a part.

        Returns
        -------
        ndarray of float32, shape (n_subspaces, 256, n_queries)
            Queries last, so that one look-up fetches the value for all queries from one cache line.
        """
        rotated = queries @ self.rotation.T
        if self.kind == "residual":
            products = self.pq_centroids.reshape(-1, self.dim) @ rotated.T
            return products.reshape(self.n_subspaces, _N_CENTROIDS, -1)
        parts = rotated.reshape(queries.shape[0], self.n_subspaces, -1)
        return np.ascontiguousarray(np.einsum("mkd,nmd->mkn", self.pq_centroids, parts, optimize=True))


def same_codebook(one: Codebook | None, other: Codebook | None) -> bool:
    """Return whether codes of one codebook are codes of the other; of two that are None as well."""
    if one is None or other is None:
        return one is other
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in PRODUCT_ROLES)
