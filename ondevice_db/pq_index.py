"""Search through codes: Annoy finds the cells, tables give the similarities of the codes in them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from nowplaying.errors import CorruptArtifactError
from ondevice_db.annoy_cells import AnnoyVectors
from ondevice_db.arrays import open_array
from ondevice_db.codebook import CODEBOOK_ROLES, Codebook, level_rows, unit_rows
from ondevice_db.index import Hits, SearchOptions, top_hits
from ondevice_db.packing import (
    concatenated_ranges,
    decode_lists,
    n_high_bytes,
    n_packed_bytes,
    unpack,
    width_of,
)
from ondevice_db.schema import DatabaseManifest

__all__ = ["PqIndex"]

_SCANNED_FRACTION = 0.005
_RANK_RESERVE = 1.5  # a query's own cells may hold fewer codes than the average
_SCAN_BLOCK = 8192
_REFINED = 3  # codes decoded for each hit that is returned


class PqIndex:
    """The memory-mapped arrays of the ``pq`` layout.

    Attributes
    ----------
    codebook : Codebook
    """

    def __init__(
        self, codebook: Codebook, cells: AnnoyVectors, arrays: Mapping[str, NDArray[np.generic]], n_fingerprints: int
    ) -> None:
        self.codebook = codebook
        self._annoy = cells
        self._background = unit_rows(codebook.centroids)
        self._n_fingerprints = n_fingerprints
        self._codes: NDArray[np.uint8] = arrays["codes"]  # type: ignore[assignment]
        self._song_cells: NDArray[np.uint8] = arrays["song_cells"]  # type: ignore[assignment]
        self._low: NDArray[np.uint16] = arrays["list_low"]  # type: ignore[assignment]
        self._high: NDArray[np.uint8] = arrays["list_high"]  # type: ignore[assignment]
        self._starts: NDArray[np.int64] = arrays["list_starts"].astype(np.int64)

    @classmethod
    def open(cls, files: Mapping[str, Path], manifest: DatabaseManifest) -> "PqIndex":
        """Open the arrays of a database whose sizes and hashes have been checked.

        Raises
        ------
        CorruptArtifactError
            When an array's type or shape differs from what the manifest promises, or the lists are not in order.
        """
        n, n_codes = manifest.n_fingerprints, manifest.n_codes
        n_cells, dim = manifest.n_cells, manifest.dim
        shapes: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
            "codes": (np.uint8, (n_codes, manifest.n_subspaces)),
            "song_cells": (np.uint8, (n_packed_bytes(n, width_of(n_cells + 1)),)),
            "list_starts": (np.uint32, (n_cells + 1,)),
            "list_low": (np.uint16, (n_codes,)),
            "list_high": (np.uint8, (n_high_bytes(n_codes, n_cells, n),)),
        }
        arrays = {role: open_array(files[role], dtype, shape) for role, (dtype, shape) in shapes.items()}
        starts = arrays["list_starts"].astype(np.int64)
        if starts[0] != 0 or starts[-1] != n_codes or (np.diff(starts) < 0).any():
            message = f"{files['list_starts']}: the cells' lists do not cover the codes in order; rebuild the database"
            raise CorruptArtifactError(message)
        folder = files["centroids"].parent
        codebook = Codebook.load(folder, {role: files[role].name for role in CODEBOOK_ROLES})
        if (codebook.n_cells, codebook.dim, codebook.n_subspaces) != (n_cells, dim, manifest.n_subspaces):
            message = f"{files['centroids']}: the codebook's shape differs from the manifest; rebuild the database"
            raise CorruptArtifactError(message)
        return cls(codebook, AnnoyVectors(files["cells"], n_items=n_cells, dim=dim), arrays, n)

    @property
    def background(self) -> NDArray[np.float32]:
        """Directions of the coarse cells: a fixed sample of what music in general sounds like."""
        return self._background

    def nearest(self, queries: NDArray[np.float32], n_hits: int, options: SearchOptions) -> Hits:
        """Return the nearest codes of each query by exact query against quantized vector.

        All queries look into the union of their cells: neighbours in time want much the same cells, and a cell that
        one of them found costs the others next to nothing.
        """
        cells = self.probe(queries, options)
        counts = self._starts[cells + 1] - self._starts[cells]
        positions = concatenated_ranges(self._starts[cells], counts)
        cell_of = np.repeat(np.arange(cells.size), counts)
        similarities = self._scan(queries, cells, positions, cell_of)
        columns, _ = top_hits(similarities, _REFINED * n_hits)
        columns, values = self._refine(queries, columns, positions, cells[cell_of], n_hits)
        valid = columns >= 0
        fingerprints = np.full(columns.shape, -1, np.int64)
        fingerprints[valid] = self._numbers(positions, cells[cell_of], columns[valid])
        return Hits(fingerprints, values, int(positions.size))

    def probe(self, queries: NDArray[np.float32], options: SearchOptions) -> NDArray[np.int64]:
        """Return the cells to scan for these queries, ascending.

        With ``n_probe`` these are the union of every query's nearest cells. Without, cells are taken in the order of
        their best rank with any query until they hold enough codes: a query of twelve fingerprints then costs little
        more than one of one, whatever the size of the database.
        """
        n_cells = self.codebook.n_cells
        wanted = max(options.min_scan, _SCANNED_FRACTION * self._n_fingerprints)
        n_ranks = options.n_probe or math.ceil(_RANK_RESERVE * n_cells * wanted / self._n_fingerprints)
        if n_ranks >= n_cells:
            return np.arange(n_cells)
        # Annoy returns no more items than it looked at.
        found = self._annoy.nearest(queries, n_ranks, max(options.search_k, 4 * n_ranks))
        by_rank = found.T.ravel()
        cells, first = np.unique(by_rank[by_rank >= 0], return_index=True)
        if options.n_probe is None:
            order = np.argsort(first)
            held = np.cumsum((self._starts[cells + 1] - self._starts[cells])[order])
            cells = np.sort(cells[order[: int(np.searchsorted(held, wanted)) + 1]])
        return cells

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the decoded vectors of fingerprint numbers, shape (n, dim); zero for silence.

        Raises
        ------
        CorruptArtifactError
            When a fingerprint is not in the list of its cell.
        """
        all_cells = self._cells_of(fingerprints)
        sounding = np.flatnonzero(all_cells < self.codebook.n_cells)
        decoded = np.zeros((fingerprints.size, self.codebook.dim), np.float32)
        decoded[sounding] = self._decode(all_cells[sounding], fingerprints[sounding])
        return decoded

    def _cells_of(self, fingerprints: NDArray[np.int64]) -> NDArray[np.int64]:
        cells = unpack(self._song_cells, fingerprints, width_of(self.codebook.n_cells + 1))
        if cells.size and int(cells.max()) > self.codebook.n_cells:
            self._refuse("a fingerprint lies in a cell that does not exist")
        return cells

    def _decode(self, cells: NDArray[np.int64], fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        if cells.size == 0:
            return np.empty((0, self.codebook.dim), np.float32)
        wanted, inverse = np.unique(cells, return_inverse=True)
        ids, positions = self._lists(wanted)
        # Lists are ascending and joined in the order of their cells, so that (list, id) is one ascending key.
        counts = self._starts[wanted + 1] - self._starts[wanted]
        keys = np.repeat(np.arange(wanted.size), counts) * self._n_fingerprints + ids
        wanted_keys = inverse * self._n_fingerprints + fingerprints
        places = np.minimum(np.searchsorted(keys, wanted_keys), max(keys.size - 1, 0))
        if keys.size == 0 or not np.array_equal(keys[places], wanted_keys):
            self._refuse("a fingerprint is missing from the list of its cell")
        return self.codebook.decode(cells, self._codes[positions[places]])

    def cells_and_codes(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return every fingerprint's cell and code in song order, for rewriting the database.

        Returns
        -------
        cells : ndarray of int64, shape (n,)
            ``n_cells`` for silence.
        codes : ndarray of uint8, shape (n, n_subspaces)
            Zero for silence.

        Raises
        ------
        CorruptArtifactError
            When the lists and the songs' cells disagree.
        """
        n_cells = self.codebook.n_cells
        cells = self._cells_of(np.arange(self._n_fingerprints))
        ids, positions = self._lists(np.arange(n_cells))
        lists = np.repeat(np.arange(n_cells), np.diff(self._starts))
        expected = (cells < n_cells).astype(np.int64)
        counts = np.bincount(ids, minlength=self._n_fingerprints)
        if not np.array_equal(counts, expected) or (cells[ids] != lists).any():
            self._refuse("the cells' lists and the songs' cells disagree")
        codes = np.zeros((self._n_fingerprints, self.codebook.n_subspaces), np.uint8)
        codes[ids] = self._codes[positions]
        return cells, codes

    def _scan(
        self,
        queries: NDArray[np.float32],
        cells: NDArray[np.int64],
        positions: NDArray[np.int64],
        cell_of: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        tables = self.codebook.tables(queries)
        coarse = self.codebook.centroids[cells] @ queries.T
        similarities = np.empty((queries.shape[0], positions.size), np.float32)
        # Blocks keep the sums of a few thousand codes in the cache while the sub-spaces are added up.
        for start in range(0, positions.size, _SCAN_BLOCK):
            rows = slice(start, start + _SCAN_BLOCK)
            codes = self._codes[positions[rows]]
            total = coarse[cell_of[rows]]
            for m in range(self.codebook.n_subspaces):
                total += tables[m].take(codes[:, m], axis=0)
            similarities[:, rows] = total.T
        return similarities

    def _refine(
        self,
        queries: NDArray[np.float32],
        columns: NDArray[np.int64],
        positions: NDArray[np.int64],
        cells: NDArray[np.int64],
        n_hits: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Order the nearest codes again with their vectors on a level; the scan's tables know nothing of lengths."""
        unique, inverse = np.unique(columns, return_inverse=True)
        chosen = np.maximum(unique, 0)
        vectors = level_rows(self.codebook.decode(cells[chosen], self._codes[positions[chosen]]))
        everything = queries @ vectors.T
        values = np.take_along_axis(everything, inverse.reshape(columns.shape), axis=1)
        values[columns < 0] = -np.inf
        order = np.argsort(-values, axis=1, kind="stable")[:, :n_hits]
        return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)

    def _numbers(
        self, positions: NDArray[np.int64], cells: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the fingerprint numbers of scanned codes, decoding only the lists that hold them."""
        wanted = np.unique(cells[columns])
        ids, places = self._lists(wanted)
        order = np.searchsorted(places, positions[columns])
        return ids[order]

    def _lists(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        try:
            ids, positions = decode_lists(cells, self._starts, self._low, self._high, self._n_fingerprints)
        except ValueError as error:
            self._refuse(str(error))
        if ids.size and int(ids.max()) >= self._n_fingerprints:
            self._refuse("a list names a fingerprint that does not exist")
        return ids, positions

    def _refuse(self, reason: str) -> NoReturn:
        message = f"song database: {reason}; restore or rebuild it"
        raise CorruptArtifactError(message)
