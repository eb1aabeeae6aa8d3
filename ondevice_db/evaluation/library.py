"""The songs that an evaluation searches, and which of them are the same music."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying.audio import SAMPLE_RATE_HZ, track_id
from nowplaying.audio.corpus import CorpusFile
from nowplaying.errors import ConfigError
from ondevice_db.builder import DatabaseWriter, FingerprintSettings
from ondevice_db.codebook import Codebook
from ondevice_db.evaluation.embedding import EmbeddingCache, load_long_enough
from ondevice_db.index import ExactIndex
from ondevice_db.schema import Track
from ondevice_db.store import SongDatabase

__all__ = ["DUPLICATE_SIMILARITY", "Library", "build_library", "find_duplicates", "open_exact"]

# Two recordings count as the same music when this share of one has a fingerprint this near in the other. On the
# development music the shares of unrelated pairs end at 0.21, those of variants by one hand begin at 0.35.
DUPLICATE_SIMILARITY = 0.8
DUPLICATE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Library:
    """An indexed corpus.

    Attributes
    ----------
    database : Path
    songs : mapping of Path to int
        Song index of each recording; byte-identical recordings share one.
    vectors : ndarray of float32, shape (n, dim)
        Float fingerprints in song order.
    song_starts : ndarray of int64, shape (n_songs + 1,)
    groups : ndarray of int64, shape (n_songs,)
        Equal for songs that are the same music.
    """

    database: Path
    songs: dict[Path, int]
    vectors: NDArray[np.float32]
    song_starts: NDArray[np.int64]
    groups: NDArray[np.int64]

    def members(self, song: int) -> tuple[int, ...]:
        """Return the songs that are the same music as this one, itself included."""
        return tuple(int(other) for other in np.flatnonzero(self.groups == self.groups[song]))


def build_library(
    files: Sequence[CorpusFile], cache: EmbeddingCache, database: Path, *, codebook: Codebook | None = None
) -> Library:
    """Fingerprint and index recordings, and group the duplicates.

    Parameters
    ----------
    files : sequence of CorpusFile
    cache : EmbeddingCache
    database : Path
        Folder to write; must not exist.
    codebook : Codebook, optional
        By default the one that ships with the model.
    """
    fingerprinter: Fingerprinter = cache.fingerprinter
    settings = FingerprintSettings(
        embedding_space=fingerprinter.embedding_space,
        encoder=fingerprinter.name,
        dim=fingerprinter.dim,
        hop_s=cache.reference_hop_s,
        window_s=fingerprinter.window_s,
    )
    if codebook is None:
        codebook = Codebook.load(fingerprinter.folder.path)
    vectors = cache.references([file.path for file in files])
    songs: dict[Path, int] = {}
    by_id: dict[str, int] = {}
    kept: list[NDArray[np.float32]] = []
    with DatabaseWriter(database, settings=settings, codebook=codebook) as writer:
        for file, rows in zip(files, vectors, strict=True):
            samples = load_long_enough(file.path, cache.pcm_cache)
            track = Track(
                track_id=track_id(samples),
                title=file.title,
                duration_s=samples.size / SAMPLE_RATE_HZ,
                source=str(file.path),
            )
            index = writer.add(track, rows)
            if index is not None:
                by_id[track.track_id] = index
                kept.append(rows)
            songs[file.path] = by_id[track.track_id]
        writer.finish()
    joined = np.concatenate(kept)
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in kept])]).astype(np.int64)
    return Library(database, songs, joined, starts, _group(kept, cache.reference_hop_s))


def find_duplicates(
    vectors: NDArray[np.float32],
    library_vectors: NDArray[np.float32],
    song_starts: NDArray[np.int64],
    *,
    own_song: int = -1,
) -> list[tuple[int, float]]:
    """Return the songs of a library that hold the same music as a recording, with the share that they have in common.

    Copies, loops and remixes repeat parts in another order, so parts are counted wherever they stand: the share is that
    of the recording's fingerprints whose nearest in the song is at least ``DUPLICATE_SIMILARITY``.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Clean reference fingerprints of the recording.
    library_vectors, song_starts
        As in :class:`Library`.
    own_song : int
        A song of the library that the recording is, and which is not to be found.

    Raises
    ------
    ConfigError
        When the recording has no fingerprints.
    """
    heard = vectors[vectors.any(axis=1)]
    if heard.size == 0:
        message = "duplicates: expected at least one fingerprint that is not silent, found none"
        raise ConfigError(message)
    nearest = np.maximum.reduceat(heard @ library_vectors.T, song_starts[:-1], axis=1)
    shares = (nearest >= DUPLICATE_SIMILARITY).mean(axis=0)
    if own_song >= 0:
        shares[own_song] = 0.0
    return [(int(song), float(shares[song])) for song in np.flatnonzero(shares >= DUPLICATE_SHARE)]


def _group(songs: Sequence[NDArray[np.float32]], hop_s: float) -> NDArray[np.int64]:
    # One fingerprint a second is enough to know a copy, and the comparison is of all with all.
    thinned = [rows[:: max(1, round(1.0 / hop_s))] for rows in songs]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in thinned])]).astype(np.int64)
    vectors = np.concatenate(thinned)
    groups = np.arange(len(thinned))
    for song, own in enumerate(thinned):
        for other, _ in find_duplicates(own, vectors, starts, own_song=song):
            # Few songs have twins: relabelling is simpler than a forest, and quick enough.
            groups[groups == groups[max(song, other)]] = groups[min(song, other)]
    return groups


def open_exact(library: Library) -> ExactIndex:
    """Return exhaustive float search over a library, with the background of its database."""
    return ExactIndex(library.vectors, SongDatabase.open(library.database).index.background)
