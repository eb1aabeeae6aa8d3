"""A recognizer of given recordings, for evaluations that ask whole recordings and not cached fingerprints."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.recognizer import Recognizer

__all__ = ["indexed"]


@contextmanager
def indexed(songs: Sequence[Path]) -> Iterator[Recognizer]:
    """Index recordings with the shipped model into a temporary database, and open it.

    Parameters
    ----------
    songs : sequence of Path
        Their absolute paths are the sources of the songs.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "songs.npdb"
        index_paths([song.absolute() for song in songs], database, Fingerprinter.from_model(SHIPPED_FINGERPRINTER))
        yield Recognizer.open(database)
