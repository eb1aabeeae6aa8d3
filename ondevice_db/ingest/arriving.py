"""Recordings that arrive one by one and are in memory only, such as those that a browser sends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import MemoryFile
from nowplaying_core.errors import AudioFormatError, NowPlayingError
from ondevice_db.format.track import Track
from ondevice_db.ingest.journal import FileStamp
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.workers import attempt_file

__all__ = ["Arriving"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arriving:
    """Where `index_paths` gets recordings that are not on this machine's disks.

    Attributes
    ----------
    stamps : mapping of Path to FileStamp
        What their sender says of them; by these an interrupted run knows those that it has done.
    take : callable
        Waits for a recording and returns it, or the reason why it does not come. Where it raises DatabaseError the run
        stops, and can go on later.
    """

    stamps: Mapping[Path, FileStamp]
    take: Callable[[Path], MemoryFile | AudioFormatError]

    def fingerprint(
        self,
        paths: Sequence[Path],
        folder: Path,
        fingerprinter: Fingerprinter,
        *,
        hop_s: float,
        options: ReadOptions | None = None,
    ) -> Iterator[tuple[Path, Track | NowPlayingError]]:
        """Yield each recording with its track, or with the error that names what is wrong with it, in their order.

        Parameters
        ----------
        paths : sequence of Path
            Names of the recordings.
        folder : Path
            Where fingerprints are stored.
        fingerprinter : Fingerprinter
        hop_s : float > 0, seconds
        options : ReadOptions, optional
        """
        for path in paths:
            given = self.take(path)
            if isinstance(given, MemoryFile):
                yield path, attempt_file(given, folder, fingerprinter, hop_s, options or ReadOptions())
            else:
                yield path, given
