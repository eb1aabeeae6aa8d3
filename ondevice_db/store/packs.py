"""Several databases searched as one: a core pack, a region's, and somebody's own music.

Fingerprints and songs are numbered through, pack after pack, and every pack's nearest fingerprints go into one list.
So the offset histogram, runners-up, local density and the acceptance threshold are those of one database with all
the songs, and scores mean the same however the songs are shared out. A recording that several packs hold belongs to
the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, ManifestMismatchError
from ondevice_db.format.track import Track
from ondevice_db.index.base import FingerprintIndex, Neighbors, SearchOptions, top_k
from ondevice_db.store.store import SongDatabase, Songs

__all__ = ["PackIndex", "SongPacks", "open_packs"]


def open_packs(paths: str | Path | Sequence[str | Path], embedding_space: str | None = None) -> Songs:
    """Open one database, or several as one.

    Parameters
    ----------
    paths : path or sequence of paths
        Folders NAME.npdb; the first one's songs win where several hold the same recording.
    embedding_space : str, optional
        As of `SongDatabase.open`.

    Raises
    ------
    ConfigError
        When there is no path.
    ManifestMismatchError
        When the packs were made with different encoders or hops.
    """
    given = [paths] if isinstance(paths, str | Path) else paths
    if not given:
        message = "packs: expected at least one database, found none"
        raise ConfigError(message)
    packs = [SongDatabase.open(path, embedding_space) for path in dict.fromkeys(Path(path) for path in given)]
    return packs[0] if len(packs) == 1 else SongPacks(packs)


class SongPacks:
    """Several opened databases with the face of one.

    Parameters
    ----------
    packs : sequence of SongDatabase
        At least one.

    Attributes
    ----------
    path : Path
        Of the first pack.
    manifest : DatabaseManifest
        The first pack's, with the counts of all.
    song_starts : ndarray of int64, shape (n_slots + 1,)
    index : PackIndex

    Raises
    ------
    ManifestMismatchError
        When the packs were made with different encoders or hops.
    """

    def __init__(self, packs: Sequence[SongDatabase]) -> None:
        first = packs[0].manifest
        for pack in packs[1:]:
            for name in ("embedding_space", "dim", "hop_s", "window_s"):
                theirs, ours = getattr(pack.manifest, name), getattr(first, name)
                if theirs != ours:
                    message = (
                        f"{pack.path}: {name} is {theirs}, but {packs[0].path} has {ours}; packs that are searched "
                        "together must be made alike; index its music again"
                    )
                    raise ManifestMismatchError(message)
        self._packs = tuple(packs)
        self.path = packs[0].path
        counts = ("n_songs", "n_slots", "n_fingerprints", "n_codes")
        self.manifest = replace(first, **{name: sum(getattr(one.manifest, name) for one in packs) for name in counts})
        self._first_song = np.cumsum([0, *(pack.manifest.n_slots for pack in packs)])
        first_number = np.cumsum([0, *(pack.manifest.n_fingerprints for pack in packs)])
        self.song_starts: NDArray[np.int64] = np.concatenate(
            [np.zeros(1, np.int64), *(pack.song_starts[1:] + at for pack, at in zip(packs, first_number, strict=False))]
        )
        self._hidden = _hidden_songs(packs)
        self.index: FingerprintIndex = PackIndex(packs, first_number, self._hidden)

    @property
    def n_songs(self) -> int:
        """Number of songs that can be found, each recording once."""
        return self.manifest.n_songs - sum(hidden.size for hidden in self._hidden)

    @property
    def n_fingerprints(self) -> int:
        """Number of their fingerprints."""
        counts = (
            np.diff(pack.song_starts)[hidden].sum() for pack, hidden in zip(self._packs, self._hidden, strict=True)
        )
        return self.manifest.n_fingerprints - int(sum(counts))

    def track(self, song_index: int) -> Track:
        """Return a song's metadata."""
        pack = int(np.searchsorted(self._first_song, song_index, side="right")) - 1
        return self._packs[pack].track(song_index - int(self._first_song[pack]))

    def find(self, track_id: str) -> int | None:
        """Return the song index of a track id, or None."""
        for pack, first in zip(self._packs, self._first_song, strict=False):
            found = pack.find(track_id)
            if found is not None:
                return found + int(first)
        return None

    def indices(self) -> dict[str, int]:
        """Return the song index of every track id, in one pass over the songs."""
        found: dict[str, int] = {}
        for pack, first in zip(self._packs, self._first_song, strict=False):
            found = {track_id: index + int(first) for track_id, index in pack.indices().items()} | found
        return found

    def song_of(self, fingerprints: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the song index of each fingerprint number."""
        return np.searchsorted(self.song_starts, fingerprints, side="right") - 1


class PackIndex:
    """The packs' indexes as one.

    Parameters
    ----------
    packs : sequence of SongDatabase
    first_number : ndarray of int64, shape (n_packs + 1,)
        Number of each pack's first fingerprint.
    hidden : sequence of ndarray of int64
        For each pack, its songs that must not be found.
    """

    def __init__(
        self, packs: Sequence[SongDatabase], first_number: NDArray[np.int64], hidden: Sequence[NDArray[np.int64]]
    ) -> None:
        self._packs = tuple(packs)
        self._first_number = first_number
        self._hidden = tuple(hidden)

    @property
    def cohort(self) -> NDArray[np.float32] | None:
        """The cohort of the first pack that has one."""
        known = (pack.index.cohort for pack in self._packs)
        return next((cohort for cohort in known if cohort is not None), None)

    def nearest(self, queries: NDArray[np.float32], n_neighbors: int, options: SearchOptions) -> Neighbors:
        """Return the nearest fingerprints of each query over all packs."""
        numbers, similarities, n_scanned = [], [], 0
        for pack, first, hidden in zip(self._packs, self._first_number, self._hidden, strict=False):
            # Hidden neighbors must not displace visible ones: a copy has one for each of the original's.
            neighbors = pack.index.nearest(queries, n_neighbors if hidden.size == 0 else 2 * n_neighbors, options)
            shown = neighbors.fingerprints >= 0
            if hidden.size:
                shown &= ~np.isin(pack.song_of(np.maximum(neighbors.fingerprints, 0)), hidden)
            numbers.append(np.where(shown, neighbors.fingerprints + first, -1))
            similarities.append(np.where(shown, neighbors.similarities, -np.inf).astype(np.float32))
            n_scanned += neighbors.n_scanned
        columns, values = top_k(np.concatenate(similarities, axis=1), n_neighbors)
        found = np.take_along_axis(np.concatenate(numbers, axis=1), np.maximum(columns, 0), axis=1)
        return Neighbors(np.where(np.isfinite(values), found, -1), values, n_scanned)

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the stored vectors of these fingerprint numbers, shape (n, dim)."""
        return self._of_packs(fingerprints, lambda pack, numbers: pack.index.vectors(numbers))

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002 (packs know their own)
        """Return what the matcher compares with, by the map of each pack."""
        return self._of_packs(fingerprints, lambda pack, numbers: pack.index.references(numbers, pack.song_starts))

    def _of_packs(
        self,
        fingerprints: NDArray[np.int64],
        rows_of: Callable[[SongDatabase, NDArray[np.int64]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        pack_of = np.searchsorted(self._first_number, fingerprints, side="right") - 1
        found = np.empty((fingerprints.size, self._packs[0].manifest.dim), np.float32)
        for number, pack in enumerate(self._packs):
            rows = np.flatnonzero(pack_of == number)
            if rows.size:
                found[rows] = rows_of(pack, fingerprints[rows] - self._first_number[number])
        return found


def _hidden_songs(packs: Sequence[SongDatabase]) -> list[NDArray[np.int64]]:
    """Return, for each pack, the songs that a pack before it holds too."""
    seen: set[str] = set()
    hidden = []
    for pack in packs:
        ids = pack.songs.track_ids()
        hidden.append(np.array([index for index, track_id in ids if track_id in seen], np.int64))
        seen.update(track_id for _, track_id in ids)
    return hidden
