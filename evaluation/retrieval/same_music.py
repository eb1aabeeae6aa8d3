"""Which recordings are the same music: copies, loops and remixes, any of which is a right answer.

The shipped fingerprinter decides, whatever fingerprinter is evaluated: one that has hardly learned anything takes all
music for the same, and every answer would count as correct.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.embedding import EmbeddingCache
from nowplaying_core.errors import ConfigError

__all__ = ["SAME_SIMILARITY", "SameMusic"]

# Two recordings count as the same music when this share of one has a fingerprint this near in the other. On the
# development music the shares of unrelated pairs end at 0.21, those of variants by one hand begin at 0.35.
SAME_SIMILARITY = 0.8
SAME_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class SameMusic:
    """Songs as fingerprints of the shipped fingerprinter.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Clean fingerprints in song order.
    song_starts : ndarray of int64, shape (n_songs + 1,)
    """

    vectors: NDArray[np.float32]
    song_starts: NDArray[np.int64]

    @classmethod
    def among(cls, paths: Sequence[Path], cache: EmbeddingCache) -> "SameMusic":
        """Fingerprint recordings, one a song, keeping the fingerprints where another model's are kept."""
        songs = cache.shipped().references(paths)
        starts = np.concatenate([[0], np.cumsum([len(rows) for rows in songs])]).astype(np.int64)
        return cls(np.concatenate(songs), starts)

    def find(self, vectors: NDArray[np.float32], *, own_song: int = -1) -> list[tuple[int, float]]:
        """Return the songs that hold the same music as a recording, with the share that they have in common.

        Copies, loops and remixes repeat parts in another order, so parts are counted wherever they stand: the share is
        that of the recording's fingerprints whose nearest in the song is at least ``SAME_SIMILARITY``.

        Parameters
        ----------
        vectors : ndarray of float32, shape (n, dim)
            Clean fingerprints of the recording by the shipped fingerprinter.
        own_song : int
            A song that the recording is, and which is not to be found.

        Raises
        ------
        ConfigError
            When the recording has no fingerprints.
        """
        sounding = vectors[vectors.any(axis=1)]
        if sounding.size == 0:
            message = "same music: expected at least one fingerprint that is not silent, found none"
            raise ConfigError(message)
        nearest = np.maximum.reduceat(sounding @ self.vectors.T, self.song_starts[:-1], axis=1)
        shares = (nearest >= SAME_SIMILARITY).mean(axis=0)
        if own_song >= 0:
            shares[own_song] = 0.0
        return [(int(song), float(shares[song])) for song in np.flatnonzero(shares >= SAME_SHARE)]

    def others(self, paths: Sequence[Path], cache: EmbeddingCache) -> list[NDArray[np.float32]]:
        """Return the fingerprints of the recordings that sound and hold no music of these songs.

        Parameters
        ----------
        paths : sequence of Path
        cache : EmbeddingCache
            Of the model whose fingerprints are returned.
        """
        if not paths:
            return []
        new = [rows.any() and not self.find(rows) for rows in cache.shipped().references(paths)]
        return [rows for rows, is_new in zip(cache.references(paths), new, strict=True) if is_new]

    def groups(self) -> NDArray[np.int64]:
        """Return a number for each song, equal for songs that are the same music."""
        groups = np.arange(len(self.song_starts) - 1)
        for song, (start, end) in enumerate(itertools.pairwise(self.song_starts)):
            own = self.vectors[start:end]
            for other, _ in self.find(own, own_song=song) if own.any() else ():
                # Few songs have duplicates: relabelling is simpler than a forest, and quick enough.
                groups[groups == groups[max(song, other)]] = groups[min(song, other)]
        return groups
