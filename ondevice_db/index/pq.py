"""Search through codes: Annoy finds the cells, tables give the similarities of the codes in them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.format.arrays import RowFile, open_array
from ondevice_db.format.manifest import DatabaseManifest
from ondevice_db.format.packing import width_of
from ondevice_db.format.radix import RadixOrder, n_blocks_of, n_words_of
from ondevice_db.index.annoy_cells import AnnoyVectors
from ondevice_db.index.base import Neighbors, SearchOptions, top_k
from ondevice_db.index.codebook import CODEBOOK_ROLES, Codebook
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.index.normalize import power_normalize
from ondevice_db.index.scan import scan
from ondevice_db.index.smoothing import smoothed

__all__ = ["PqIndex"]

_RANK_RESERVE = 1.5  # a query's own cells may hold fewer codes than the average
_REFINED = 3  # codes decoded for each neighbor that is returned
_ROWS_AT_ONCE = 1 << 20  # Linux reads no more than 2 GB at once, and the codes of a million songs are more


class PqIndex:
    """The memory-mapped arrays of the ``pq`` layout.

    Parameters
    ----------
    codebook : Codebook
    cells : AnnoyVectors
        Over the codebook's cells.
    starts : ndarray of int64, shape (n_cells + 1,)
        Where each cell's codes begin.
    codes : RowFile of shape (n_codes, n_subspaces)
        Cell by cell.
    centroids : RowFile of shape (n_cells, dim)
        The codebook's, once more.
    order : RadixOrder
        Leads from fingerprints to their cells and codes, and back.
    n_fingerprints : int
    """

    def __init__(
        self,
        codebook: Codebook,
        cells: AnnoyVectors,
        *,
        starts: NDArray[np.int64],
        codes: RowFile,
        centroids: RowFile,
        order: RadixOrder,
        n_fingerprints: int,
    ) -> None:
        self.codebook = codebook
        self._annoy = cells
        self._starts = starts
        self._codes = codes
        self._centroids = centroids
        self._order = order
        self._n_fingerprints = n_fingerprints

    @classmethod
    def open(cls, files: Mapping[str, Path], manifest: DatabaseManifest, *, verified: bool = False) -> "PqIndex":
        """Open the arrays of a database whose sizes and hashes have been checked.

        Parameters
        ----------
        files : mapping of role to Path
        manifest : DatabaseManifest
        verified : bool
            These very files have been opened before without it: their numbers need not be checked again.

        Raises
        ------
        CorruptArtifactError
            When an array's type or shape differs from what the manifest promises, the lists are not in order, or the
        order does not lead into them.
        """
        n_cells, dim = manifest.n_cells, manifest.dim
        codes = RowFile(files["codes"], np.uint8, (manifest.n_codes, manifest.n_subspaces))
        starts = open_array(files["list_starts"], np.uint32, (n_cells + 1,)).astype(np.int64)
        if starts[0] != 0 or starts[-1] != manifest.n_codes or (np.diff(starts) < 0).any():
            message = f"{files['list_starts']}: the cells' lists do not cover the codes in order; rebuild the database"
            raise CorruptArtifactError(message)
        cohort = open_array(files["cohort"], np.float32) if "cohort" in files else None
        names = {role: files[role].name for role in CODEBOOK_ROLES if role in files}
        codebook = load_codebook(files["centroids"].parent, names, cohort=cohort, check=not verified)
        found = (codebook.n_cells, codebook.dim, codebook.n_subspaces, codebook.kind)
        if found != (n_cells, dim, manifest.n_subspaces, manifest.code_kind):
            message = f"{files['centroids']}: the codebook's shape differs from the manifest; rebuild the database"
            raise CorruptArtifactError(message)
        annoy = AnnoyVectors(files["cells"], n_items=n_cells, dim=dim, verified=verified)
        n, n_passes = manifest.n_fingerprints, width_of(n_cells + 1)
        order = RadixOrder(
            n,
            open_array(files["order_bits"], np.uint64, (n_passes, n_words_of(n))),
            open_array(files["order_counts"], np.uint32, (n_passes, n_blocks_of(n) + 1)),
        )
        if not verified:
            _check_order(order, [*np.diff(starts).tolist(), n - manifest.n_codes], files["order_bits"])
        return cls(
            codebook,
            annoy,
            starts=starts,
            codes=codes,
            centroids=RowFile(files["centroids"], np.float32, (n_cells, dim)),
            order=order,
            n_fingerprints=manifest.n_fingerprints,
        )

    @property
    def cohort(self) -> NDArray[np.float32]:
        """Unit vectors of other music, for score normalization."""
        return self.codebook.cohort

    def nearest(self, queries: NDArray[np.float32], n_neighbors: int, options: SearchOptions) -> Neighbors:
        """Return the nearest codes of each query by exact query against quantized vector.

        All queries look into the union of their cells: neighbors in time want much the same cells, and a cell that
        one of them found costs the others next to nothing.
        """
        cells = self.probe(queries, options)
        counts = self._starts[cells + 1] - self._starts[cells]
        codes = self._codes.ranges(self._starts[cells], counts)
        if codes.shape[0] == 0:
            nothing = np.full((queries.shape[0], n_neighbors), -1, np.int64)
            return Neighbors(nothing, np.full(nothing.shape, -np.inf, np.float32), 0)
        sums = scan(
            self.codebook.tables(queries),
            self._centroids.take(cells) @ queries.T,
            codes,
            np.repeat(np.arange(cells.size), counts),
        )
        columns, _ = top_k(sums, _REFINED * n_neighbors)
        # Columns are the cells' codes one after the other.
        begins = np.cumsum(counts) - counts
        chosen = np.maximum(columns, 0)
        which = np.searchsorted(begins + counts, chosen, side="right")
        positions = self._starts[cells[which]] + chosen - begins[which]
        positions[columns < 0] = -1
        values = self._refine(queries, codes, columns, cells[which])
        order = np.argsort(-values, axis=1, kind="stable")[:, :n_neighbors]
        positions, values = (np.take_along_axis(found, order, axis=1) for found in (positions, values))
        fingerprints = np.full(positions.shape, -1, np.int64)
        unique, inverse = np.unique(positions[positions >= 0], return_inverse=True)
        try:
            numbers = self._order.fingerprints(unique)
        except ValueError as error:
            self._refuse(str(error))
        fingerprints[positions >= 0] = numbers[inverse]
        return Neighbors(fingerprints, values, sums.shape[1])

    def probe(self, queries: NDArray[np.float32], options: SearchOptions) -> NDArray[np.int64]:
        """Return the cells to scan for these queries, those that are nearest to any of them first.

        With ``n_probe`` these are the union of every query's nearest cells. Without, cells are taken in the order of
        their best rank with any query until they hold enough codes: a query of twelve fingerprints then costs little
        more than one of one, whatever the size of the database.
        """
        n_cells = self.codebook.n_cells
        wanted = options.n_to_scan(self._n_fingerprints)
        n_ranks = options.n_probe or math.ceil(_RANK_RESERVE * n_cells * wanted / self._n_fingerprints)
        if n_ranks >= n_cells:
            return np.arange(n_cells)
        # Annoy returns no more items than it looked at.
        found = self._annoy.nearest(queries, n_ranks, max(options.search_k, 4 * n_ranks))
        by_rank = found.T.ravel()
        cells, first = np.unique(by_rank[by_rank >= 0], return_index=True)
        cells = cells[np.argsort(first)]
        if options.n_probe is None:
            held = np.cumsum(self._starts[cells + 1] - self._starts[cells])
            cells = cells[: int(np.searchsorted(held, wanted)) + 1]
        return cells

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the decoded vectors of fingerprint numbers, shape (n, dim); zero for silence.

        Raises
        ------
        CorruptArtifactError
            When the order does not lead to codes of their cells.
        """
        cells, positions = self._locate(fingerprints)
        sounding = np.flatnonzero(cells < self.codebook.n_cells)
        unique, inverse = np.unique(cells[sounding], return_inverse=True)
        decoded = self.codebook.residual(self._codes.take(positions[sounding])) @ self.codebook.rotation
        vectors = np.zeros((fingerprints.size, self.codebook.dim), np.float32)
        vectors[sounding] = decoded + self._centroids.take(unique)[inverse]
        return vectors

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return decoded vectors, smoothed by their neighbors in the song where the codebook has a map for that.

        Parameters
        ----------
        fingerprints : ndarray of int64, shape (n,)
        song_starts : ndarray of int64, shape (n_slots + 1,)

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Zero for silence.

        Raises
        ------
        CorruptArtifactError
            As of :meth:`vectors`.
        """
        codebook = self.codebook
        if codebook.smoothing.size == 0:
            return self.vectors(fingerprints)
        songs = np.searchsorted(song_starts, fingerprints, side="right") - 1
        around = fingerprints + np.arange(-1, 2)[:, None]
        inside = (around >= song_starts[songs]) & (around < song_starts[songs + 1])
        unique, inverse = np.unique(np.where(inside, around, fingerprints), return_inverse=True)
        cells, positions = self._locate(unique)
        sounding = np.flatnonzero(cells < codebook.n_cells)
        decoded = np.zeros((unique.size, codebook.dim), np.float32)
        decoded[sounding] = self._decode_rotated(cells[sounding], self._codes.take(positions[sounding]))
        before, own, after = decoded[inverse.reshape(around.shape)] * inside[:, :, None]
        return smoothed(codebook.smoothing, before, own, after) @ codebook.rotation

    def _decode_rotated(self, cells: NDArray[np.int64], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return decoded vectors times the rotation; the centroids are read, as they lie scattered over their file."""
        unique, inverse = np.unique(cells, return_inverse=True)
        decoded = self.codebook.residual(codes)
        decoded += (self._centroids.take(unique) @ self.codebook.rotation.T)[inverse]
        return decoded

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
            When the order and the cells' lists disagree.
        """
        n_cells = self.codebook.n_cells
        try:
            cells = self._order.cells()
        except ValueError as error:
            self._refuse(str(error))
        counts = np.bincount(cells, minlength=n_cells + 1)
        if counts.size > n_cells + 1 or not np.array_equal(counts[:n_cells], np.diff(self._starts)):
            self._refuse("the cells' lists and the songs' cells disagree")
        codes = np.zeros((self._n_fingerprints, self.codebook.n_subspaces), np.uint8)
        order = np.argsort(cells, kind="stable")[: self._starts[-1]]
        for start in range(0, order.size, _ROWS_AT_ONCE):
            rows = order[start : start + _ROWS_AT_ONCE]
            codes[rows] = self._codes.ranges(np.array([start]), np.array([rows.size]))
        return cells, codes

    def _locate(self, fingerprints: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        try:
            cells, positions = self._order.locate(fingerprints)
        except ValueError as error:
            self._refuse(str(error))
        n_cells = self.codebook.n_cells
        if cells.size and int(cells.max()) > n_cells:
            self._refuse("a fingerprint lies in a cell that does not exist")
        own = np.minimum(cells, n_cells - 1)
        inside = (positions >= self._starts[own]) & (positions < self._starts[own + 1])
        if not (inside | (cells == n_cells)).all():
            self._refuse("a fingerprint is missing from the list of its cell")
        return cells, positions

    def _refine(
        self,
        queries: NDArray[np.float32],
        codes: NDArray[np.uint8],
        columns: NDArray[np.int64],
        cells: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Return the nearest codes' similarities with their vectors power-normalized; the tables ignore lengths."""
        unique, first, inverse = np.unique(columns, return_index=True, return_inverse=True)
        vectors = self._decode_rotated(cells.ravel()[first], codes[np.maximum(unique, 0)])
        rotated: NDArray[np.float32] = queries @ self.codebook.rotation.T
        everything: NDArray[np.float32] = rotated @ power_normalize(vectors).T
        values: NDArray[np.float32] = np.take_along_axis(everything, inverse.reshape(columns.shape), axis=1)
        values[columns < 0] = -np.inf
        return values

    def _refuse(self, reason: str) -> NoReturn:
        message = f"song database: {reason}; restore or rebuild it"
        raise CorruptArtifactError(message)


def _check_order(order: RadixOrder, expected: list[int], path: Path) -> None:
    """Refuse an order by which the cells have not as many fingerprints as expected; the last, of silence, included."""
    try:
        counts = order.cell_counts()
    except ValueError as error:
        message = f"{path}: {error}; rebuild the database"
        raise CorruptArtifactError(message) from error
    if counts[: len(expected)].tolist() != expected or counts[len(expected) :].any():
        message = f"{path}: the order does not lead into the cells' lists; rebuild the database"
        raise CorruptArtifactError(message)
