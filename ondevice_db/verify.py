"""Check a whole database: hashes and bounds, that its parts agree, and that every song finds itself."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.pq import PqIndex
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase

__all__ = ["VerifyReport", "verify_database"]

_QUERY_FINGERPRINTS = 8
# Two recordings of the same loop are the same to a fingerprint; only a clearly better stranger is a fault.
_TIE = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """The result of a check.

    Attributes
    ----------
    n_songs, n_fingerprints : int
    n_bytes : int
    n_found : int
        Songs that came first, or as the same music as the first, when queried with their own fingerprints.
    not_found : tuple of str
        Track ids of the others.
    """

    n_songs: int
    n_fingerprints: int
    n_bytes: int
    n_found: int
    not_found: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    def __str__(self) -> str:
        found = f"{self.n_found} of {self.n_songs} songs find themselves"
        return f"all hashes, sizes and bounds are right; {found} ({self.n_fingerprints} fingerprints)"


def verify_database(path: str | Path) -> VerifyReport:
    """Check a database.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ArtifactError
        When a hash, size, bound or cross reference is wrong, or less than 99 % of the songs find themselves.
    DatabaseError
        When there is no database.
    """
    database = SongDatabase.open(path, check_hashes=True)
    if isinstance(database.index, PqIndex):
        database.index.cells_and_codes()
    tracks = dict(database.songs)
    starts = database.song_starts
    with_fingerprints = np.flatnonzero(np.diff(starts))
    if sorted(tracks) != with_fingerprints.tolist() or len({one.track_id for one in tracks.values()}) != len(tracks):
        message = f"{database.path}: the songs with metadata and those with fingerprints differ; rebuild the database"
        raise CorruptArtifactError(message)
    matcher = Matcher(database)
    not_found = []
    for song, track in tracks.items():
        count = int(starts[song + 1] - starts[song])
        vectors = database.index.vectors(np.arange(starts[song], starts[song + 1]))
        sounding = np.flatnonzero(vectors.any(axis=1))
        if sounding.size == 0:
            not_found.append(track.track_id)
            continue
        first = min(int(sounding[sounding.size // 2]), max(0, count - _QUERY_FINGERPRINTS))
        match = matcher.match(
            l2_normalize(vectors[first : first + _QUERY_FINGERPRINTS]),
            database.manifest.hop_s,
            SearchOptions(n_best=50),
        )
        scores = {candidate.song_index: candidate.raw_score for candidate in match.candidates}
        same = {one.song_index for candidate in match.candidates for one in candidate.also}
        if song not in same and scores.get(song, -1.0) < max(scores.values(), default=0.0) - _TIE:
            not_found.append(track.track_id)
    report = VerifyReport(
        n_songs=len(tracks),
        n_fingerprints=database.manifest.n_fingerprints,
        n_bytes=int(database.info()["total_bytes"]),
        n_found=len(tracks) - len(not_found),
        not_found=tuple(not_found),
    )
    if report.n_found < 0.99 * report.n_songs:
        message = f"{database.path}: {report}: {list(not_found[:5])} do not; rebuild the database"
        raise CorruptArtifactError(message)
    return report
