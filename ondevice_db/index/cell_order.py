"""Where each fingerprint's code lies, for either form of a database.

Schema 1 held the fingerprint behind every list entry (Elias-Fano) and the cell of every fingerprint (bit-packed), four
bytes for each. Schema 2 holds the record of the sort by cell (:mod:`ondevice_db.format.radix`), two bytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ondevice_db.format.arrays import open_array
from ondevice_db.format.packing import decode_lists, n_high_bytes, n_packed_bytes, unpack, width_of
from ondevice_db.format.radix import RadixOrder, n_blocks_of, n_words_of
from ondevice_db.format.schema import DatabaseManifest

__all__ = ["CellOrder", "ListOrder", "open_order"]


class CellOrder(Protocol):
    """Leads from fingerprints to their cells and codes, and back; raises ValueError where a file is damaged."""

    def places(self, fingerprints: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells of fingerprints and the positions of their codes; a silent one has the last cell."""
        ...

    def fingerprints(self, positions: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the fingerprints whose codes lie at positions in these cells."""
        ...

    def cells(self) -> NDArray[np.int64]:
        """Return every fingerprint's cell in song order, after checking that both directions agree."""
        ...


class ListOrder:
    """Schema 1: lists of fingerprints for the cells, and cells for the fingerprints.

    Parameters
    ----------
    n : int
        Fingerprints.
    starts : ndarray of int64, shape (n_cells + 1,)
    low, high, song_cells : ndarray
        See :mod:`ondevice_db.format.packing`.
    """

    def __init__(
        self,
        n: int,
        starts: NDArray[np.int64],
        low: NDArray[np.uint16],
        high: NDArray[np.uint8],
        song_cells: NDArray[np.uint8],
    ) -> None:
        self._n, self._starts, self._low, self._high, self._song_cells = n, starts, low, high, song_cells
        self._n_cells = starts.size - 1

    def places(self, fingerprints: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cells of fingerprints and the positions of their codes; -1 for silence."""
        cells = unpack(self._song_cells, fingerprints, width_of(self._n_cells + 1))
        positions = np.full(fingerprints.size, -1, np.int64)
        sounding = np.flatnonzero(cells < self._n_cells)
        if sounding.size == 0:
            return cells, positions
        wanted, inverse = np.unique(cells[sounding], return_inverse=True)
        ids, places = self._lists(wanted)
        # Lists are ascending and joined in the order of their cells, so that (list, id) is one ascending key.
        keys = np.repeat(np.arange(wanted.size), self._starts[wanted + 1] - self._starts[wanted]) * self._n + ids
        wanted_keys = inverse * self._n + fingerprints[sounding]
        found = np.minimum(np.searchsorted(keys, wanted_keys), max(keys.size - 1, 0))
        if keys.size == 0 or not np.array_equal(keys[found], wanted_keys):
            message = "a fingerprint is missing from the list of its cell"
            raise ValueError(message)
        positions[sounding] = places[found]
        return cells, positions

    def fingerprints(self, positions: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the entries at positions, decoding only the lists that hold them."""
        ids, places = self._lists(np.unique(cells))
        return ids[np.searchsorted(places, positions)]

    def cells(self) -> NDArray[np.int64]:
        """Return every fingerprint's cell."""
        cells = unpack(self._song_cells, np.arange(self._n), width_of(self._n_cells + 1))
        ids, _ = self._lists(np.arange(self._n_cells))
        lists = np.repeat(np.arange(self._n_cells), np.diff(self._starts))
        counts = np.bincount(ids, minlength=self._n)
        if not np.array_equal(counts, (cells < self._n_cells).astype(np.int64)) or (cells[ids] != lists).any():
            message = "the cells' lists and the songs' cells disagree"
            raise ValueError(message)
        return cells

    def _lists(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ids, positions = decode_lists(cells, self._starts, self._low, self._high, self._n)
        if ids.size and int(ids.max()) >= self._n:
            message = "a list names a fingerprint that does not exist"
            raise ValueError(message)
        return ids, positions


def open_order(files: Mapping[str, Path], manifest: DatabaseManifest, starts: NDArray[np.int64]) -> CellOrder:
    """Open the arrays that a database's schema version has.

    Raises
    ------
    CorruptArtifactError
        When an array's type or shape differs from what the manifest promises.
    """
    n, n_cells = manifest.n_fingerprints, manifest.n_cells
    if manifest.schema_version == 1:
        return ListOrder(
            n,
            starts,
            open_array(files["list_low"], np.uint16, (manifest.n_codes,)),
            open_array(files["list_high"], np.uint8, (n_high_bytes(manifest.n_codes, n_cells, n),)),
            open_array(files["song_cells"], np.uint8, (n_packed_bytes(n, width_of(n_cells + 1)),)),
        )
    n_passes = width_of(n_cells + 1)
    return RadixOrder(
        n,
        open_array(files["order_bits"], np.uint64, (n_passes, n_words_of(n))),
        open_array(files["order_counts"], np.uint32, (n_passes, n_blocks_of(n) + 1)),
    )
