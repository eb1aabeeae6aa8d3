"""Write a database: collect songs, encode them, and switch readers over in one rename."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nowplaying.errors import ConfigError, DatabaseError, ManifestMismatchError
from ondevice_db.annoy_cells import DEFAULT_TREES
from ondevice_db.codebook import Codebook, unit_rows
from ondevice_db.flat import FLAT_MAX_SONGS
from ondevice_db.generation import Content, write_database
from ondevice_db.lock import writer_lock
from ondevice_db.pq_index import PqIndex
from ondevice_db.schema import LAYOUTS, MAX_FINGERPRINTS, DatabaseManifest, Track
from ondevice_db.store import SongDatabase

__all__ = ["DatabaseWriter", "FingerprintSettings", "remove_tracks"]

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, kw_only=True, slots=True)
class FingerprintSettings:
    """How the fingerprints of a database were made.

    Attributes
    ----------
    embedding_space : str
        Id of the front end and encoder.
    encoder : str
        The model's name, for messages.
    dim : int
    hop_s, window_s : float, seconds
        Of the reference fingerprints.
    """

    embedding_space: str
    encoder: str
    dim: int
    hop_s: float
    window_s: float


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
    ) -> None:
        self.path = Path(path)
        self._codebook = codebook if layout == "pq" else None
        self._layout = layout
        self._n_trees, self._seed = n_trees, seed
        self._tracks: list[Track | None] = []
        self._counts: list[int] = []
        self._cells: list[NDArray[np.int64]] = []
        self._codes: list[NDArray[np.uint8]] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._known: dict[str, int] = {}
        self._previous: DatabaseManifest | None = None
        self._changed = False
        self._lock = ExitStack()
        self._lock.enter_context(writer_lock(self.path))
        try:
            if extend:
                self.settings = self._load(settings)
            else:
                self.settings = self._check_new(settings)
        except BaseException:
            self.close()
            raise

    @classmethod
    def extend(cls, path: str | Path, settings: FingerprintSettings | None = None) -> Self:
        """Open an existing database to add or remove songs; see the class."""
        return cls(path, settings=settings, extend=True)

    def __contains__(self, track_id: str) -> bool:
        """Tell whether a song with this track id is in."""
        return track_id in self._known

    def __len__(self) -> int:
        """Return the number of songs that the database will hold."""
        return len(self._known)

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
        if track.track_id in self._known:
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
        self._check_room(embeddings.shape[0])
        vectors = unit_rows(embeddings)
        if self._codebook is not None:
            cells, codes = self._codebook.quantize(vectors)
            cells[~sounding] = self._codebook.n_cells
            self._cells.append(cells)
            self._codes.append(codes)
        else:
            self._vectors.append(vectors)
        self._known[track.track_id] = len(self._tracks)
        self._tracks.append(track)
        self._counts.append(embeddings.shape[0])
        self._changed = True
        return self._known[track.track_id]

    def source_of(self, track_id: str) -> str:
        """Return where the song with this track id came from."""
        track = self._tracks[self._known[track_id]]
        return track.source if track is not None else ""

    def remove(self, track_id: str) -> bool:
        """Remove a song; its index is not used again. Returns False when there is no such song."""
        index = self._known.pop(track_id, None)
        if index is None:
            return False
        if self._codebook is not None:
            self._cells[index], self._codes[index] = self._cells[index][:0], self._codes[index][:0]
        else:
            self._vectors[index] = self._vectors[index][:0]
        self._tracks[index] = None
        self._counts[index] = 0
        self._changed = True
        return True

    def finish(self) -> DatabaseManifest:
        """Write the database, make it visible in one rename, and release the lock.

        Raises
        ------
        DatabaseError
            When no song is left or the disk refuses the files; an existing database is then unchanged.
        """
        try:
            if not self._known:
                message = f"{self.path}: a database needs at least one song; delete the folder instead of emptying it"
                raise DatabaseError(message)
            if self._previous is not None and not self._changed:
                return self._previous
            content = Content(
                songs=[(index, track) for index, track in enumerate(self._tracks) if track is not None],
                song_starts=np.concatenate([[0], np.cumsum(self._counts)]).astype(np.uint32),
                cells=_joined(self._cells),
                codes=_joined(self._codes),
                vectors=_joined(self._vectors),
                codebook=self._codebook,
            )
            header = {
                "layout": self._layout,
                "embedding_space": self.settings.embedding_space,
                "encoder": self.settings.encoder,
                "dim": self.settings.dim,
                "hop_s": self.settings.hop_s,
                "window_s": self.settings.window_s,
                "annoy_trees": self._n_trees,
                "annoy_seed": self._seed,
            }
            return write_database(self.path, header, content, self._previous)
        finally:
            self.close()

    def _check_new(self, settings: FingerprintSettings | None) -> FingerprintSettings:
        if self.path.exists():
            message = f"{self.path}: exists already; add to it with --add, or delete it first"
            raise DatabaseError(message)
        if settings is None or self._layout not in LAYOUTS:
            message = f"{self.path}: a new database needs settings and a layout, found {settings}, {self._layout!r}"
            raise ConfigError(message)
        if self._layout == "pq" and (self._codebook is None or self._codebook.dim != settings.dim):
            found = "none" if self._codebook is None else f"one of {self._codebook.dim}"
            message = f"layout 'pq' needs a codebook of {settings.dim} dimensions, found {found}"
            raise ConfigError(message)
        return settings

    def _load(self, expected: FingerprintSettings | None) -> FingerprintSettings:
        database = SongDatabase.open(self.path, expected.embedding_space if expected else None)
        manifest = database.manifest
        settings = FingerprintSettings(
            embedding_space=manifest.embedding_space,
            encoder=manifest.encoder,
            dim=manifest.dim,
            hop_s=manifest.hop_s,
            window_s=manifest.window_s,
        )
        if expected is not None and replace(expected, encoder=settings.encoder) != settings:
            message = f"{self.path}: built with {settings}, found {expected} to add; index all the music again"
            raise ManifestMismatchError(message)
        self._layout = manifest.layout
        self._n_trees, self._seed = manifest.annoy_trees, manifest.annoy_seed
        self._previous = manifest
        self._tracks = [None] * manifest.n_slots
        for index, track in database.songs:
            self._tracks[index] = track
            self._known[track.track_id] = index
        self._counts = [int(count) for count in np.diff(database.song_starts)]
        cuts = database.song_starts[1:-1]
        if isinstance(database.index, PqIndex):
            self._codebook = database.index.codebook
            cells, codes = database.index.cells_and_codes()
            self._cells, self._codes = np.split(cells, cuts), np.split(codes, cuts)
        else:
            self._codebook = None
            self._vectors = np.split(database.index.vectors(np.arange(manifest.n_fingerprints)), cuts)
        return settings

    def _check_room(self, n_more: int) -> None:
        if self._layout == "flat" and len(self._known) >= FLAT_MAX_SONGS:
            message = f"{self.path}: the flat layout holds at most {FLAT_MAX_SONGS} songs; index again with layout 'pq'"
            raise DatabaseError(message)
        if sum(self._counts) + n_more > MAX_FINGERPRINTS:
            message = f"{self.path}: a database holds at most {MAX_FINGERPRINTS} fingerprints; split the music"
            raise DatabaseError(message)


def remove_tracks(path: str | Path, track_ids: Iterable[str]) -> list[str]:
    """Remove songs from a database.

    Parameters
    ----------
    path : str or Path
    track_ids : iterable of str

    Returns
    -------
    list of str
        The ids that were in the database and are gone.

    Raises
    ------
    DatabaseError
        When it would leave no song, or another process is writing the database.
    """
    with DatabaseWriter.extend(path) as writer:
        removed = [track_id for track_id in track_ids if writer.remove(track_id)]
        if removed:
            writer.finish()
    return removed


def _joined(parts: list[NDArray[T]]) -> NDArray[T] | None:
    return np.concatenate(parts) if parts else None
