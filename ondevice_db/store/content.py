"""The content of a database in song order: read from one, written as the arrays of the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ondevice_db.format.packing import width_of
from ondevice_db.format.radix import sort_by_cell
from ondevice_db.format.track import Track
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.pq import PqIndex
from ondevice_db.store.store import SongDatabase

__all__ = ["DERIVED_ROLES", "Content", "derived_arrays", "read_content"]

# Files that follow from the songs' cells and codes alone, byte for byte and on every machine.
DERIVED_ROLES = ("song_starts", "list_starts", "codes", "order_bits", "order_counts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """The content of a database, in song order.

    Attributes
    ----------
    songs : sequence of (song index, Track), ascending
    song_starts : ndarray of uint32, shape (n_slots + 1,)
    cells : ndarray of integers, shape (n,), or None
        ``n_cells`` for silence.
    codes : ndarray of uint8, shape (n, n_subspaces), or None
        Anything for silence.
    vectors : ndarray of float32, shape (n, dim), or None
        Of the flat layout, where cells, codes and codebook are None; zero rows for silence.
    codebook : Codebook or None
    """

    songs: Sequence[tuple[int, Track]]
    song_starts: NDArray[np.uint32]
    cells: NDArray[np.integer] | None
    codes: NDArray[np.uint8] | None
    vectors: NDArray[np.float32] | None
    codebook: Codebook | None

    @property
    def n_codes(self) -> int:
        """Number of fingerprints that can be found: those that are not silence."""
        if self.vectors is not None:
            return int(self.vectors.any(axis=1).sum())
        n_cells = self.codebook.n_cells if self.codebook is not None else 0
        return int((self.cells < n_cells).sum()) if self.cells is not None else 0


def read_content(database: SongDatabase) -> Content:
    """Read everything that a database holds.

    Raises
    ------
    CorruptArtifactError
        When its parts disagree.
    """
    index, n_fingerprints = database.index, database.manifest.n_fingerprints
    starts = database.song_starts.astype(np.uint32)
    songs = list(database.songs)
    if isinstance(index, PqIndex):
        cells, codes = index.cells_and_codes()
        return Content(songs=songs, song_starts=starts, cells=cells, codes=codes, vectors=None, codebook=index.codebook)
    vectors = index.vectors(np.arange(n_fingerprints))
    return Content(songs=songs, song_starts=starts, cells=None, codes=None, vectors=vectors, codebook=None)


def derived_arrays(content: Content) -> dict[str, NDArray[Any]]:
    """Return the arrays of the `DERIVED_ROLES`; of the flat layout only ``song_starts``."""
    arrays: dict[str, NDArray[Any]] = {"song_starts": content.song_starts}
    cells, codes, codebook = content.cells, content.codes, content.codebook
    if cells is None or codes is None or codebook is None:
        return arrays
    # Silence sorts behind the last cell, where there are no codes.
    n_cells = codebook.n_cells
    order, record = sort_by_cell(cells, width_of(n_cells + 1))
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=n_cells + 1)[:n_cells])])
    order = order[: starts[-1]]
    arrays |= {"codes": codes[order], "list_starts": starts.astype(np.uint32)}
    return arrays | {"order_bits": record.bits, "order_counts": record.counts}
