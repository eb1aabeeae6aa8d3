"""Write a database: collect songs, encode them, and switch readers over in one rename."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, DatabaseError
from ondevice_db.format.layouts import LAYOUTS
from ondevice_db.format.lock import real_folder, writer_lock
from ondevice_db.format.manifest import MAX_FINGERPRINTS, DatabaseManifest
from ondevice_db.format.track import Track
from ondevice_db.index.annoy_cells import DEFAULT_TREES
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.flat import FLAT_MAX_SONGS
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.store.collection import SongCollection
from ondevice_db.store.content import read_content
from ondevice_db.store.generation import write_database
from ondevice_db.store.settings import FingerprintSettings, check_target
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import clear_leftovers, forget_last_good

__all__ = ["DatabaseWriter"]


class DatabaseWriter:
    """Builds a new database, or the next generation of one; holds its writer's lock until closed.

    Readers see nothing before :meth:`finish`, which leaves the old database or the new one, whatever interrupts it.

    Parameters
    ----------
    path : str or Path
        Folder NAME.npdb: must not exist, or must be a database where ``extend`` is set.
    settings : FingerprintSettings, optional
        Needed by a new database; with ``extend`` they must be the database's own, or None.
    codebook : Codebook, optional
        Needed by a new database of layout "pq"; an extended one keeps its own.
    layout : {"pq", "flat"}
        Of a new database.
    extend : bool
    n_trees, seed : int
        Of the Annoy index of a new database.
    locked : bool
        The caller holds the writer's lock, and keeps it.

    Raises
    ------
    DatabaseError
        When the path exists already, is no database to extend, or another process is writing it.
    ArtifactError
        When the database to extend is damaged or was built with other settings.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        settings: FingerprintSettings | None = None,
        codebook: Codebook | None = None,
        layout: str = "pq",
        extend: bool = False,
        n_trees: int = DEFAULT_TREES,
        seed: int = 0,
        locked: bool = False,
    ) -> None:
        self.path = real_folder(Path(path))
        self._codebook = codebook if layout == "pq" else None
        self._layout = layout
        self._n_trees, self._seed = n_trees, seed
        self._songs = SongCollection()
        self._previous: DatabaseManifest | None = None
        self._lock = ExitStack()
        if not locked:
            self._lock.enter_context(writer_lock(self.path))
        try:
            database = check_target(self.path, settings, extend=extend)
            self.settings = self._check_new(settings) if database is None else self._load(database)
        except BaseException:
            self.close()
            raise

    @property
    def codebook(self) -> Codebook | None:
        """The product quantizer and cells; None in the flat layout."""
        return self._codebook

    @classmethod
    def extend(cls, path: str | Path, settings: FingerprintSettings | None = None) -> Self:
        """Open an existing database to add or remove songs; see the class."""
        return cls(path, settings=settings, extend=True)

    def __contains__(self, track_id: str) -> bool:
        """Return whether a song with this track id is in."""
        return track_id in self._songs

    def __len__(self) -> int:
        """Return the number of songs that the database will hold."""
        return len(self._songs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the writer's lock; without :meth:`finish` nothing changes."""
        self._lock.close()

    def add(self, track: Track, embeddings: NDArray[np.float32]) -> int | None:
        """Add a song.

        Parameters
        ----------
        track : Track
        embeddings : ndarray of float32, shape (n, dim), n >= 1
            One row per reference hop: of length 1, or zero where the song is silent.

        Returns
        -------
        int or None
            Its song index, or None when a song with this track id is in already.
        """
        if track.track_id in self._songs:
            return None
        expected = (embeddings.shape[0], self.settings.dim)
        norms = np.linalg.norm(embeddings, axis=1) if embeddings.shape == expected else np.zeros(1)
        sounding = norms > 0
        if not sounding.any() or not np.isfinite(norms).all() or (np.abs(norms[sounding] - 1) > 1e-2).any():
            message = (
                f"{track.source or track.track_id}: expected at least one fingerprint of {self.settings.dim} "
                f"dimensions and length 1, found an array {embeddings.shape} that is not"
            )
            raise ConfigError(message)
        vectors = l2_normalize(embeddings)
        if self._codebook is None:
            return self.add_stored(track, vectors)
        cells, codes = self._codebook.quantize(vectors)
        cells[~sounding] = self._codebook.n_cells
        return self.add_stored(track, codes, cells)

    def add_stored(
        self, track: Track, rows: NDArray[np.generic], cells: NDArray[np.integer] | None = None
    ) -> int | None:
        """Add a song by what another database of this layout and codebook stores for it.

        Parameters
        ----------
        track : Track
        rows : ndarray, shape (n, n_subspaces) of uint8 or (n, dim) of float32, n >= 1
            Codes, or vectors in the flat layout.
        cells : ndarray of int64, shape (n,), optional
            With codes; ``n_cells`` for silence.

        Returns
        -------
        int or None
            As of `add`.
        """
        if track.track_id in self._songs:
            return None
        self._check_room(rows.shape[0])
        return self._songs.add(track, rows, cells)

    def track(self, track_id: str) -> Track | None:
        """Return the metadata of the song with this track id, or None."""
        return self._songs.track(track_id)

    def describe(self, track: Track) -> bool:
        """Replace the metadata of the song with this track's id. Returns False when there is no such song."""
        return self._songs.describe(track)

    def remove(self, track_id: str) -> bool:
        """Remove a song; its index is not used again. Returns False when there is no such song."""
        return self._songs.remove(track_id)

    def compact(self) -> None:
        """Give the songs new indices without gaps, in the same order."""
        self._songs.compact()

    def finish(self, *, keep_previous: bool = True) -> DatabaseManifest:
        """Write the database, make it visible in one rename, and release the lock.

        Parameters
        ----------
        keep_previous : bool
            Keep the version before as the one to roll back to; False frees its space.

        Raises
        ------
        DatabaseError
            When no song is left or the disk refuses the files; an existing database is then unchanged.
        """
        try:
            if not len(self._songs):
                message = f"{self.path}: a database needs at least one song; delete the folder instead of emptying it"
                raise DatabaseError(message)
            if self._previous is not None and not self._songs.changed:
                (clear_leftovers if keep_previous else forget_last_good)(self.path)
                return self._previous
            header = {
                "layout": self._layout,
                "annoy_trees": self._n_trees,
                "annoy_seed": self._seed,
                **asdict(self.settings),
            }
            return write_database(
                self.path,
                header,
                self._songs.content(self._codebook),
                self._previous,
                same_fingerprints=not self._songs.fingerprints_changed,
                keep_previous=keep_previous,
            )
        finally:
            self.close()

    def _check_new(self, settings: FingerprintSettings | None) -> FingerprintSettings:
        if settings is None or self._layout not in LAYOUTS:
            message = f"{self.path}: a new database needs settings and a layout, found {settings}, {self._layout!r}"
            raise ConfigError(message)
        if self._layout == "pq" and (self._codebook is None or self._codebook.dim != settings.dim):
            found = "none" if self._codebook is None else f"one of {self._codebook.dim}"
            message = f"layout 'pq' needs a codebook of {settings.dim} dimensions, found {found}"
            raise ConfigError(message)
        return settings

    def _load(self, database: SongDatabase) -> FingerprintSettings:
        manifest = database.manifest
        self._layout = manifest.layout
        self._n_trees, self._seed = manifest.annoy_trees, manifest.annoy_seed
        self._previous = manifest
        content = read_content(database)
        self._codebook = content.codebook
        self._songs = SongCollection.of(content)
        return FingerprintSettings.of(manifest)

    def _check_room(self, n_more: int) -> None:
        if self._layout == "flat" and len(self._songs) >= FLAT_MAX_SONGS:
            message = f"{self.path}: the flat layout holds at most {FLAT_MAX_SONGS} songs; index again with layout 'pq'"
            raise DatabaseError(message)
        if self._songs.n_fingerprints + n_more > MAX_FINGERPRINTS:
            message = f"{self.path}: a database holds at most {MAX_FINGERPRINTS} fingerprints; split the music"
            raise DatabaseError(message)
