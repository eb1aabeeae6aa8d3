"""Open a database: manifest, sizes, hashes and bounds first, then memory maps.

Hashes and all numbers are checked the first time that files are opened: see
:mod:`ondevice_db.format.verification_cache`.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import check_file
from nowplaying_core.errors import CorruptArtifactError, ManifestMismatchError
from ondevice_db.format.arrays import open_array
from ondevice_db.format.manifest import MANIFEST_NAME, DatabaseManifest, load_manifest, manifest_digest
from ondevice_db.format.songs import SongTable
from ondevice_db.format.track import Track
from ondevice_db.format.verification_cache import identity, is_verified, mark_verified
from ondevice_db.index.base import FingerprintIndex
from ondevice_db.index.codebook import CODEBOOK_FILES
from ondevice_db.index.flat import FlatIndex
from ondevice_db.index.pq import PqIndex

__all__ = ["SongDatabase", "Songs"]

_OPEN_ATTEMPTS = 3


class Songs(Protocol):
    """A database as a matcher sees it: a `SongDatabase`, or several as one (`ondevice_db.store.packs.SongPacks`)."""

    path: Path
    manifest: DatabaseManifest
    song_starts: NDArray[np.int64]
    index: FingerprintIndex

    @property
    def n_songs(self) -> int:
        """Number of songs that can be found."""
        ...

    @property
    def n_fingerprints(self) -> int:
        """Number of their fingerprints."""
        ...

    def track(self, song_index: int) -> Track:
        """Return a song's metadata."""
        ...

    def find(self, track_id: str) -> int | None:
        """Return the song index of a track id, or None."""
        ...

    def indices(self) -> dict[str, int]:
        """Return the song index of every track id, in one pass over the songs."""
        ...

    def song_of(self, fingerprints: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the song index of each fingerprint number."""
        ...


class SongDatabase:
    """A database opened for reading; several threads and processes may share it.

    Use :meth:`open`. A database that is changed meanwhile stays readable as it was when opened.

    Attributes
    ----------
    path : Path
    manifest : DatabaseManifest
    songs : SongTable
    song_starts : ndarray of int64, shape (n_slots + 1,)
        Fingerprints of song s are numbered ``song_starts[s] .. song_starts[s + 1] - 1``; equal for a removed song.
    index : FingerprintIndex

    Examples
    --------
    >>> import nowplaying
    >>> database = nowplaying.SongDatabase.open("music.npdb")
    >>> database.n_songs, sorted(track.title for _, track in database.songs)
    (3, ['Cabin Fever', 'Für Elise', 'Party Sector'])
    """

    def __init__(self, path: Path, manifest: DatabaseManifest, *, verified: bool = False) -> None:
        self.path = path
        self.manifest = manifest
        files = {role: path / str(record["name"]) for role, record in manifest.files.items()}
        starts = open_array(files["song_starts"], np.uint32, (manifest.n_slots + 1,)).astype(np.int64)
        ascending = bool((np.diff(starts) >= 0).all())
        if not ascending or starts[0] != 0 or starts[-1] != manifest.n_fingerprints:
            _refuse(files["song_starts"], "the songs' ranges do not cover the fingerprints in order")
        if int((np.diff(starts) > 0).sum()) != manifest.n_songs:
            _refuse(files["song_starts"], f"expected {manifest.n_songs} songs with fingerprints")
        self.song_starts: NDArray[np.int64] = starts
        self.songs = SongTable(files["songs"], n_slots=manifest.n_slots, n_songs=manifest.n_songs, verified=verified)
        kind = PqIndex if manifest.layout == "pq" else FlatIndex
        self.index: FingerprintIndex = kind.open(files, manifest, verified=verified)

    @classmethod
    def open(
        cls, path: str | Path, embedding_space: str | None = None, *, check_hashes: bool | None = None
    ) -> "SongDatabase":
        """Open a database folder.

        Parameters
        ----------
        path : str or Path
            Folder NAME.npdb.
        embedding_space : str, optional
            Id of the encoder that will query it; None skips the comparison (listing, copying).
        check_hashes : bool, optional
            None checks hashes and all numbers unless these very files have passed before; True always; False never
            checks hashes, for files that were verified since they were last written.

        Raises
        ------
        DatabaseError
            When the folder does not exist or is empty.
        ArtifactError
            ``ManifestMismatchError`` for another encoder, ``UnsupportedVersionError`` for a newer schema,
            ``CorruptArtifactError`` for anything that differs from the manifest or breaks its bounds.
        """
        folder = Path(path)
        manifest = load_manifest(folder)
        if embedding_space is not None and manifest.embedding_space != embedding_space:
            message = (
                f"{folder}: built with embedding space {manifest.embedding_space} ({manifest.encoder}), but the model "
                f"in use has {embedding_space}; use that model (--fingerprinter) or index the music again"
            )
            raise ManifestMismatchError(message)
        for attempt in range(_OPEN_ATTEMPTS):
            try:
                return cls.open_version(folder, manifest, check_hashes=check_hashes)
            except (CorruptArtifactError, FileNotFoundError):
                # A writer may have moved on to the next generation and cleared the files we were about to open.
                newer = load_manifest(folder)
                if newer == manifest or attempt == _OPEN_ATTEMPTS - 1:
                    raise
                manifest = newer
        raise AssertionError  # pragma: no cover (the loop returns or raises)

    @classmethod
    def open_version(
        cls, folder: Path, manifest: DatabaseManifest, *, check_hashes: bool | None = None
    ) -> "SongDatabase":
        """Open the version of a database that a manifest describes, be it the current one or not.

        Raises
        ------
        CorruptArtifactError
            For anything that differs from the manifest or breaks its bounds.
        """
        names = [str(record["name"]) for record in manifest.files.values()]
        found = identity(folder, manifest_digest(manifest.to_dict()), names)
        verified = check_hashes is None and is_verified(folder, found)
        hashed = check_hashes is not False and not verified
        for record in manifest.files.values():
            _check_record(folder, record, check_hashes=hashed)
        database = cls(folder, manifest, verified=verified)
        if hashed:
            mark_verified(folder, found)
        return database

    @property
    def n_songs(self) -> int:
        """Number of songs that can be found."""
        return self.manifest.n_songs

    @property
    def n_fingerprints(self) -> int:
        """Number of their fingerprints."""
        return self.manifest.n_fingerprints

    def track(self, song_index: int) -> Track:
        """Return a song's metadata."""
        return self.songs.track(song_index)

    def find(self, track_id: str) -> int | None:
        """Return the song index of a track id, or None."""
        return self.songs.find(track_id)

    def indices(self) -> dict[str, int]:
        """Return the song index of every track id, in one pass over the songs."""
        return {track_id: index for index, track_id in self.songs.track_ids()}

    def song_of(self, fingerprints: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the song index of each fingerprint number."""
        return np.searchsorted(self.song_starts, fingerprints, side="right") - 1

    def info(self) -> dict[str, Any]:
        """Return counts, parameters and itemised sizes for ``db info``.

        ``bytes_per_song`` counts what grows with the songs; the codebook with its Annoy index is the same for ten
        songs and for ten thousand and is listed apart.
        """
        manifest = self.manifest
        sizes = {role: int(record["bytes"]) for role, record in manifest.files.items()}
        sizes["manifest"] = (self.path / MANIFEST_NAME).stat().st_size
        fixed = {*CODEBOOK_FILES, "manifest"}
        growing = sum(size for role, size in sizes.items() if role not in fixed)
        return {
            "path": str(self.path),
            "layout": manifest.layout,
            "generation": manifest.generation,
            "embedding_space": manifest.embedding_space,
            "encoder": manifest.encoder,
            "n_songs": manifest.n_songs,
            "n_fingerprints": manifest.n_fingerprints,
            "hop_s": manifest.hop_s,
            "window_s": manifest.window_s,
            "dim": manifest.dim,
            "n_cells": manifest.n_cells,
            "code_bytes": manifest.n_subspaces,
            "code_kind": manifest.code_kind,
            "hours_of_audio": manifest.n_fingerprints * manifest.hop_s / 3600,
            "size_bytes": sizes,
            "total_bytes": sum(sizes.values()),
            "fixed_bytes": sum(sizes.values()) - growing,
            "bytes_per_song": growing / manifest.n_songs,
            "bytes_per_fingerprint": growing / manifest.n_fingerprints,
        }


def _check_record(folder: Path, record: Any, *, check_hashes: bool) -> None:
    path = folder / str(record["name"])
    if path.is_symlink():
        _refuse(path, "a link, not a file of this database")
    if check_hashes:
        check_file(path, record)
    elif not path.is_file() or path.stat().st_size != record["bytes"]:
        _refuse(path, f"expected a file of {record['bytes']} bytes")


def _refuse(path: Path, reason: str) -> None:
    message = f"{path}: {reason}; restore or rebuild the database"
    raise CorruptArtifactError(message)
