"""Finished work of an indexing run, kept beside the database until it is written: nothing is computed twice.

``NAME.npdb.partial/journal.jsonl`` has one line per finished file, ``NAME.npdb.partial/<track id>.npy`` its
fingerprints. A line is written after its fingerprints are on the disk, so that whatever interrupts a run, the lines
that can be read are true.
"""

import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_atomic
from nowplaying_core.errors import ConfigError, CorruptArtifactError, DatabaseError, disk_advice
from ondevice_db.format.arrays import open_array, save_array
from ondevice_db.format.track import Track
from ondevice_db.ingest.read_options import ReadOptions

__all__ = ["FileStamp", "Journal", "store_embeddings"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileStamp:
    """Identifies a file as the one that was indexed.

    Attributes
    ----------
    path : str
        Absolute.
    size_bytes, mtime_ns : int
    """

    path: str
    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "FileStamp | None":
        """Return the stamp of a file, or None where there is no such file."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(path=os.path.abspath(path), size_bytes=status.st_size, mtime_ns=status.st_mtime_ns)  # noqa: PTH100


class Journal:
    """The finished files of a run that is not complete; the caller holds the database's writer lock.

    Parameters
    ----------
    database : Path
        Folder NAME.npdb, which need not exist.
    settings : mapping
        What the fingerprints depend on; a journal of other settings is dropped.
    options : ReadOptions, optional
        Of this run. Files that it might refuse are not found, though a run with other options took them.

    Raises
    ------
    DatabaseError
        When the folder beside the database cannot be written.
    """

    def __init__(self, database: Path, settings: Mapping[str, Any], options: ReadOptions | None = None) -> None:
        self.folder = database.with_name(f"{database.name}.partial")
        self._file = self.folder / "journal.jsonl"
        self._header = json.dumps({"kind": "index-journal", "schema_version": 1, **settings}, sort_keys=True)
        self._options = options or ReadOptions()
        self._done: dict[FileStamp, Track] = {}
        try:
            self._open()
        except OSError as error:
            message = f"{database}: cannot write the journal beside it ({error}); {disk_advice(error)}"
            raise DatabaseError(message) from error

    def __len__(self) -> int:
        """Return the number of finished files."""
        return len(self._done)

    def find(self, stamp: FileStamp | None) -> Track | None:
        """Return the track of a finished file whose size and time have not changed since."""
        return self._done.get(stamp) if stamp is not None else None

    def add(self, stamp: FileStamp, track: Track) -> None:
        """Note a finished file whose fingerprints are stored."""
        self._append(json.dumps({**asdict(stamp), "lenient": self._options.lenient, "track": track.to_dict()}))
        self._done[stamp] = track

    def embeddings(self, track_id: str, dim: int) -> NDArray[np.float32]:
        """Return stored fingerprints, shape (n, dim)."""
        array: NDArray[np.float32] = open_array(self.folder / f"{track_id}.npy", np.float32)
        if array.ndim != 2 or array.shape[1] != dim:
            message = f"{self.folder / track_id}.npy: expected {dim} columns, found {array.shape}; delete the folder"
            raise CorruptArtifactError(message)
        return array

    def delete(self) -> None:
        """Remove the journal; the database holds its songs now."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> None:
        lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines() if self._file.is_file() else []
        if lines and lines[0] == self._header:
            for line in lines[1:]:
                self._restore(line)
            # A line torn by a crash must not swallow the next one.
            self._append("")
            return
        if lines:
            _LOG.warning("%s: made with another model or hop; starting over", self.folder)
        if self.folder.exists():
            # Without its journal too: nothing says of which model the fingerprints are that an ended clearing left.
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self._append(self._header)

    def _restore(self, line: str) -> None:
        try:
            record = json.loads(line)
            stamp = FileStamp(path=record["path"], size_bytes=record["size_bytes"], mtime_ns=record["mtime_ns"])
            track = Track(**record["track"])
            is_lenient = bool(record["lenient"])
        except (ValueError, KeyError, TypeError, ConfigError):
            return
        if not self._takes(track, is_lenient=is_lenient):
            return
        file = self.folder / f"{track.track_id}.npy"
        if not file.is_file():
            return
        try:
            lengths = np.linalg.norm(open_array(file, np.float32), axis=1)
            is_whole = lengths.size > 0 and bool((np.isclose(lengths, 1, atol=1e-2) | (lengths == 0)).all())
        except (CorruptArtifactError, ValueError, OSError):
            is_whole = False
        if is_whole:
            self._done[stamp] = track
            return
        _LOG.warning("%s: its stored fingerprints are damaged; it is done again", record["path"])
        file.unlink()

    def _takes(self, track: Track, *, is_lenient: bool) -> bool:
        # Whether a file that was read leniently is whole is not known; it is read again.
        is_fitting = (self._options.min_s or 0) <= track.duration_s <= self._options.max_s
        return is_fitting and (self._options.lenient or not is_lenient)

    def _append(self, line: str) -> None:
        with self._file.open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")
            handle.flush()
            os.fsync(handle.fileno())


def store_embeddings(folder: Path, track_id: str, embeddings: NDArray[np.float32]) -> None:
    """Store a recording's fingerprints whole or not at all; several processes may do so at once."""
    write_atomic(folder / f"{track_id}.npy", lambda temporary: save_array(temporary, embeddings))
