"""References as codes decode to them: brought nearer to the truth by their neighbors, and answered by the matcher.

The matcher interpolates between a song's references, which takes away part of a code's error; so two kinds of codes
differ less in its answers than in a comparison of single fingerprints.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import SearchOptions
from ondevice_db.index.exact import ExactIndex
from ondevice_db.index.normalize import power_normalize
from ondevice_db.index.smoothing import beside, fit_smoothing, smoothed
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import Songs

__all__ = ["DecodedIndex", "matched_songs", "smoothed_by_train"]

Rows = NDArray[np.float32]


class DecodedIndex(ExactIndex):
    """Exhaustive search over decoded references, which a database of codes does too while it is small.

    Parameters
    ----------
    decoded : ndarray of float32, shape (n, dim)
        Song by song; zero for silence.
    cohort : ndarray of float32, shape (n, dim), optional
    """

    def __init__(self, decoded: Rows, cohort: Rows | None = None) -> None:
        super().__init__(power_normalize(decoded), cohort)
        self._decoded = decoded

    def vectors(self, fingerprints: NDArray[np.int64]) -> Rows:
        """Return decoded vectors as a database of codes does: their lengths are the matcher's business."""
        return self._decoded[fingerprints]


def matched_songs(
    database: Songs, decoded: Rows, queries: Sequence[Rows], hop_s: float, options: SearchOptions | None = None
) -> NDArray[np.int64]:
    """Return the song that each query is answered with first, -1 for none, if references decode to these.

    Parameters
    ----------
    database : Songs
    decoded : ndarray of float32, shape (n_fingerprints, dim)
    queries : sequence of ndarray of float32, each of shape (n, dim)
    hop_s : float, seconds
        Between a query's fingerprints.
    options : SearchOptions, optional
    """
    matcher = Matcher(database, index=DecodedIndex(decoded, database.index.cohort))
    found = [matcher.match(query, hop_s, options).candidates for query in queries]
    return np.array([one[0].song_index if one else -1 for one in found], np.int64)


def smoothed_by_train(vectors: Rows, starts: NDArray[np.int64], is_train: NDArray[np.bool_], decoded: Rows) -> Rows:
    """Return decoded references smoothed as with a codebook that was trained on some of the songs.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        True references; zero for silence.
    starts : ndarray of int64, shape (n_songs + 1,)
    is_train : ndarray of bool, shape (n,)
        Whole songs that the map is fitted to.
    decoded : ndarray of float32, shape (n, dim)
    """
    audible = np.where(np.any(vectors, axis=1, keepdims=True), decoded, np.float32(0))
    smoothing = fit_smoothing(np.where(is_train[:, None], vectors, np.float32(0)), audible, starts)
    before, after = beside(audible, starts)
    return smoothed(smoothing, before, audible, after)
