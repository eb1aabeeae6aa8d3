"""The scan: sums of table entries for many codes and a few queries at once, in whole numbers of 16 bits.

A scan only chooses the codes that are then decoded and compared exactly, so its sums may be coarse: a query's range of
possible sums is cut into 65,000 steps, far below what quantization itself costs. Sixteen queries' sums are then one row
of 32 bytes, which NumPy copies in one move, and half of what floats would take through the cache.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["scan"]

_LANES = 16  # queries side by side
_STEPS = 65_000  # each of up to 26 terms may be rounded up by half a step, and the sum must stay below 2**16
_BLOCK = 4096  # the sums of so many codes stay in the cache while the sub-spaces are added up


def scan(
    tables: NDArray[np.float32],
    coarse: NDArray[np.float32],
    codes: NDArray[np.uint8],
    cell_of: NDArray[np.int64],
) -> NDArray[np.uint16]:
    """Return how near every code is to every query, in a query's own steps.

    Parameters
    ----------
    tables : ndarray of float32, shape (n_subspaces, 256, n_queries)
        From :meth:`ondevice_db.index.codebook.Codebook.tables`.
    coarse : ndarray of float32, shape (n_cells, n_queries)
        Inner products with the cells' centroids.
    codes : ndarray of uint8, shape (n, n_subspaces)
    cell_of : ndarray of int64 in [0, n_cells), shape (n,)
        The cell of every code.

    Returns
    -------
    ndarray of uint16, shape (n_queries, n)
        In the order of the exact sums but for rounding; of different queries not comparable.
    """
    n_queries = tables.shape[2]
    low = tables.min(axis=1)
    lowest = coarse.min(axis=0)
    span = (tables.max(axis=1) - low).sum(axis=0) + coarse.max(axis=0) - lowest
    steps = _STEPS / np.maximum(span, 1e-6)
    n_lanes = -(-n_queries // _LANES) * _LANES
    table = _whole((tables - low[:, None]) * steps, n_lanes)
    base = _whole((coarse - lowest) * steps, n_lanes)
    sums = np.empty((n_queries, codes.shape[0]), np.uint16)
    found = np.empty((_BLOCK, n_lanes), np.uint16)
    for start in range(0, codes.shape[0], _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = codes[block].T.astype(np.intp)
        total, part = base.take(cell_of[block], axis=0), found[: rows.shape[1]]
        for of_subspace, row in zip(table, rows, strict=True):
            # "clip" writes into the buffer at once; a byte is always one of 256 anyway.
            of_subspace.take(row, axis=0, out=part, mode="clip")
            total += part
        sums[:, block] = total[:, :n_queries].T
    return sums


def _whole(values: NDArray[np.floating], n_lanes: int) -> NDArray[np.uint16]:
    """Return values rounded, with queries that nobody asked behind the last."""
    whole = np.zeros((*values.shape[:-1], n_lanes), np.uint16)
    whole[..., : values.shape[-1]] = np.rint(values)
    return whole
