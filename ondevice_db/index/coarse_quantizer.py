"""The cells nearest to many vectors at build time: exhaustively where they are few, through groups where they are many.

With 16,384 cells the exhaustive comparison costs more than all the rest of writing a database. Cells that lie near each
other are therefore put into about sqrt(n) groups, and a vector is compared with the cells of the nearest groups only.
Queries use Annoy; here whole blocks are compared at once, which matrix products do several times faster.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXHAUSTIVE_CELLS", "CoarseQuantizer"]

EXHAUSTIVE_CELLS = 2048
_BLOCK_ROWS = 1024  # exhaustive: products that stay in the cache
_BLOCK_ROWS_IN_GROUPS = 16_384
_GROUPINGS = 10  # rounds of Lloyd's algorithm over the cells
_GROUPS_TRIED = 6


class CoarseQuantizer:
    """Finds the cells at the smallest angles.

    Parameters
    ----------
    directions : ndarray of float32, shape (n_cells, dim)
        Unit rows.
    """

    def __init__(self, directions: NDArray[np.float32]) -> None:
        self._directions = directions
        self._groups: list[NDArray[np.int64]] = []
        if directions.shape[0] > EXHAUSTIVE_CELLS:
            self._heads, label = _group(directions)
            self._groups = [np.flatnonzero(label == group) for group in range(self._heads.shape[0])]

    def nearest(self, vectors: NDArray[np.float32], n: int) -> NDArray[np.int64]:
        """Return the ``n`` nearest cells of each row, nearest first, shape (rows, n).

        Parameters
        ----------
        vectors : ndarray of float32, shape (rows, dim)
        n : int in [1, n_cells]
        """
        found = np.empty((vectors.shape[0], n), np.int64)
        n_rows = _BLOCK_ROWS_IN_GROUPS if self._groups else _BLOCK_ROWS
        for start in range(0, vectors.shape[0], n_rows):
            found[start : start + n_rows] = self._of_block(vectors[start : start + n_rows], n)
        return found

    def _of_block(self, block: NDArray[np.float32], n: int) -> NDArray[np.int64]:
        if not self._groups:
            return _largest(block @ self._directions.T, n)[0]
        tried = _largest(block @ self._heads.T, min(_GROUPS_TRIED, len(self._groups)))[0]
        cells = np.zeros((tried.size, n), np.int64)
        values = np.full((tried.size, n), -np.inf, np.float32)
        by_group = np.argsort(tried.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(tried.ravel(), minlength=len(self._groups)))
        for members, rows in zip(self._groups, np.split(by_group, ends[:-1]), strict=True):
            if rows.size == 0 or members.size == 0:
                continue
            kept = min(n, members.size)
            columns, best = _largest(block[rows // tried.shape[1]] @ self._directions[members].T, kept)
            cells[rows, :kept], values[rows, :kept] = members[columns], best
        chosen, _ = _largest(values.reshape(block.shape[0], -1), n)
        return np.take_along_axis(cells.reshape(block.shape[0], -1), chosen, axis=1)


def _group(directions: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the heads of about sqrt(n) groups of neighboring cells and each cell's group; spherical k-means."""
    n = directions.shape[0]
    heads = directions[:: max(1, round(np.sqrt(n)))].copy()
    label = np.zeros(n, np.int64)
    for _ in range(_GROUPINGS):
        label = np.argmax(directions @ heads.T, axis=1)
        sums = np.zeros(heads.shape, np.float32)
        np.add.at(sums, label, directions)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        # A group that lost all its cells keeps its head.
        heads = np.where(norms > 0, sums / np.maximum(norms, 1e-12), heads).astype(np.float32)
    return heads, np.argmax(directions @ heads.T, axis=1)


def _largest(values: NDArray[np.float32], n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the columns of the ``n`` largest values of each row, largest first, and the values; alters its input.

    A handful of passes of argmax is several times faster than a partition of each row.
    """
    rows = np.arange(values.shape[0])
    columns = np.empty((values.shape[0], n), np.int64)
    best = np.empty((values.shape[0], n), np.float32)
    for rank in range(n):
        column = np.argmax(values, axis=1)
        columns[:, rank], best[:, rank] = column, values[rows, column]
        values[rows, column] = -np.inf
    return columns, best
