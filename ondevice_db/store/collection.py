"""The songs that a writer works on, in memory and in the order of their indices."""

from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ondevice_db.format.track import Track
from ondevice_db.index.codebook import Codebook
from ondevice_db.store.content import Content

__all__ = ["SongCollection"]

T = TypeVar("T", bound=np.generic)


class SongCollection:
    """Songs with their stored fingerprints; a removed one leaves a gap.

    Attributes
    ----------
    fingerprints_changed : bool
        Songs were added, removed or given other indices.
    changed : bool
        These, or metadata.
    """

    def __init__(self) -> None:
        self._tracks: list[Track | None] = []
        self._rows: list[NDArray[np.generic]] = []
        self._cells: list[NDArray[np.integer]] = []
        self._known: dict[str, int] = {}
        self._n_fingerprints = 0
        self.fingerprints_changed = self.changed = False

    @classmethod
    def of(cls, content: Content) -> Self:
        """Return the songs of a database."""
        songs = cls()
        songs._tracks = [None] * (content.song_starts.size - 1)
        for index, track in content.songs:
            songs._tracks[index] = track
            songs._known[track.track_id] = index
        cuts = content.song_starts[1:-1].astype(np.int64)
        rows = content.vectors if content.codes is None else content.codes
        songs._rows = np.split(rows, cuts) if rows is not None else []
        songs._cells = np.split(content.cells, cuts) if content.cells is not None else []
        songs._n_fingerprints = int(content.song_starts[-1])
        return songs

    def __contains__(self, track_id: str) -> bool:
        return track_id in self._known

    def __len__(self) -> int:
        return len(self._known)

    @property
    def n_fingerprints(self) -> int:
        """Number of fingerprints of all songs."""
        return self._n_fingerprints

    def track(self, track_id: str) -> Track | None:
        """Return the metadata of the song with this track id, or None."""
        index = self._known.get(track_id)
        return None if index is None else self._tracks[index]

    def add(self, track: Track, rows: NDArray[np.generic], cells: NDArray[np.integer] | None = None) -> int:
        """Append a song that is not in yet, and return its index.

        Parameters
        ----------
        track : Track
        rows : ndarray, shape (n, width), n >= 1
            Codes, or vectors in the flat layout.
        cells : ndarray of int64, shape (n,), optional
        """
        index = len(self._tracks)
        self._known[track.track_id] = index
        self._tracks.append(track)
        self._rows.append(rows)
        if cells is not None:
            self._cells.append(cells)
        self._n_fingerprints += rows.shape[0]
        self.fingerprints_changed = self.changed = True
        return index

    def remove(self, track_id: str) -> bool:
        """Remove a song and leave its index empty. Returns False when there is no such song."""
        index = self._known.pop(track_id, None)
        if index is None:
            return False
        self._n_fingerprints -= self._rows[index].shape[0]
        self._rows[index] = self._rows[index][:0]
        if self._cells:
            self._cells[index] = self._cells[index][:0]
        self._tracks[index] = None
        self.fingerprints_changed = self.changed = True
        return True

    def describe(self, track: Track) -> bool:
        """Replace the metadata of the song with this track's id. Returns False when there is no such song."""
        index = self._known.get(track.track_id)
        if index is None:
            return False
        self.changed |= self._tracks[index] != track
        self._tracks[index] = track
        return True

    def compact(self) -> None:
        """Give the songs new indices without gaps, in the same order."""
        left = [index for index, track in enumerate(self._tracks) if track is not None]
        if len(left) == len(self._tracks):
            return
        self._tracks = [self._tracks[index] for index in left]
        self._rows = [self._rows[index] for index in left]
        self._cells = [self._cells[index] for index in left] if self._cells else []
        self._known = {track.track_id: index for index, track in enumerate(self._tracks) if track is not None}
        self.fingerprints_changed = self.changed = True

    def content(self, codebook: Codebook | None) -> Content:
        """Return the content of a database of these songs."""
        counts = [rows.shape[0] for rows in self._rows]
        rows = np.concatenate(self._rows)
        return Content(
            songs=[(index, track) for index, track in enumerate(self._tracks) if track is not None],
            song_starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
            cells=np.concatenate(self._cells) if codebook is not None else None,
            codes=rows.astype(np.uint8, copy=False) if codebook is not None else None,
            vectors=rows.astype(np.float32, copy=False) if codebook is None else None,
            codebook=codebook,
        )
