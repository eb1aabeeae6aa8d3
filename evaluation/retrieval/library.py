"""The songs that an evaluation searches, and which of them are the same music."""

import itertools
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.distractors import SongStatistics, distractor_track, synthesize_songs
from evaluation.retrieval.embedding import EmbeddingCache, load_long_enough
from evaluation.retrieval.same_music import SameMusic
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ, track_id
from nowplaying_core.audio.corpus import CorpusFile
from ondevice_db.format.track import Track
from ondevice_db.index.choose_codebook import CodebookChoice
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.index.exact import ExactIndex
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

__all__ = ["Library", "build_library", "grow_library", "open_exact"]


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
        Equal for songs that are the same music (:class:`~evaluation.retrieval.same_music.SameMusic`).
    """

    database: Path
    songs: dict[Path, int]
    vectors: NDArray[np.float32]
    song_starts: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def paths(self) -> list[Path]:
        """A recording of each song, in the order of the songs."""
        first = {song: path for path, song in reversed(self.songs.items())}
        return [first[song] for song in range(len(first))]

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
        codebook = load_codebook(fingerprinter.folder.path)
    if settings.hop_s != fingerprinter.reference_hop_s:
        codebook = codebook.unsmoothed()
    vectors = cache.references([file.path for file in files])
    songs: dict[Path, int] = {}
    by_id: dict[str, int] = {}
    kept: list[NDArray[np.float32]] = []
    with DatabaseWriter(database, settings=settings, codebook=codebook) as writer:
        for file, rows in zip(files, vectors, strict=True):
            samples = load_long_enough(file.path, cache.folder)
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
    library = Library(database, songs, joined, starts, np.arange(len(kept)))
    return replace(library, groups=SameMusic.among(library.paths, cache).groups())


def grow_library(
    library: Library,
    extra_songs: Sequence[NDArray[np.float32]],
    n_distractors: int,
    database: Path,
    shipped: Codebook,
    *,
    statistics: SongStatistics | None = None,
    mean_duration_s: float = 210.0,
) -> Library:
    """Put other songs behind a library's own, whose numbers stay; index them all as a user's collection would be.

    That is, with cells of its own where there are so many fingerprints that finer cells pay. The fingerprints lie in a
    file without a name, which goes with the last array that shows it: 30,000 songs are 2.4 GB.

    Parameters
    ----------
    library : Library
    extra_songs : sequence of ndarray of float32, each of shape (n, dim)
        Fingerprints of songs that are not the same music as any of the library's.
    n_distractors : int >= 0
        Synthetic distractors behind them (:mod:`evaluation.retrieval.distractors`).
    database : Path
        Folder to write, replaced when it exists.
    shipped : Codebook
        Of the model.
    statistics : SongStatistics, optional
        Of the distractors; by default those of the shipped fingerprinter.
    mean_duration_s : float, seconds
        Of the distractors.
    """
    if n_distractors == 0 and not extra_songs:
        return library
    own = SongDatabase.open(library.database)
    known = (library.vectors[start:end] for start, end in itertools.pairwise(library.song_starts))
    made: Iterable[NDArray[np.float32]] = ()
    if n_distractors:
        spread = statistics or SongStatistics.load()
        made = synthesize_songs(spread, shipped, n_distractors, seed=17, mean_duration_s=mean_duration_s)
    vectors, starts = _on_disk(itertools.chain(known, extra_songs, made), shipped.dim, database.parent)
    songs = [vectors[start:end] for start, end in itertools.pairwise(starts)]
    names = ("embedding_space", "encoder", "dim", "hop_s", "window_s")
    settings = FingerprintSettings(**{name: getattr(own.manifest, name) for name in names})
    codebook = CodebookChoice().make(shipped, [len(song) for song in songs], songs.__getitem__)
    shutil.rmtree(database, ignore_errors=True)
    with DatabaseWriter(database, settings=settings, codebook=codebook) as writer:
        for number, song in enumerate(songs):
            other = number - own.n_songs
            writer.add(own.track(number) if other < 0 else distractor_track(other, len(song), settings.hop_s), song)
        writer.finish()
    return replace(
        library,
        database=database,
        vectors=vectors,
        song_starts=starts,
        groups=np.concatenate([library.groups, np.arange(own.n_songs, len(songs))]),
    )


def _on_disk(
    songs: Iterable[NDArray[np.float32]], dim: int, folder: Path
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the fingerprints of all songs as an array in a file that no folder lists, and where each song begins."""
    starts = [0]
    with tempfile.TemporaryFile(dir=folder) as file:
        for song in songs:
            file.write(np.ascontiguousarray(song, np.float32).tobytes())
            starts.append(starts[-1] + len(song))
        file.flush()
        vectors = np.memmap(file, np.float32, "r", shape=(starts[-1], dim))
    return vectors, np.array(starts, np.int64)


def open_exact(library: Library) -> ExactIndex:
    """Return exhaustive float search over a library, with the cohort of its database."""
    return ExactIndex(library.vectors, SongDatabase.open(library.database).index.cohort)
