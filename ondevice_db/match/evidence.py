"""The evidence for the best song: how near the aligned sequence is, compared with its surroundings.

Closeness means little by itself: a piano chord is near to many piano chords, and a drone to itself at any time. A song
differs from its look-alikes by how much nearer the aligned sequence is than the query's neighborhood in general, than
the runner-up, and than the same song a few seconds earlier or later. How much nearer it has to be follows from the
query itself: where music in general lies at many distances from it, chance brings something near, and a sound that
does not change, as a drone or an anvil, is mistaken for others that do not.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import Neighbors
from ondevice_db.match.candidates import Alignments
from ondevice_db.match.rescore import NO_SCORE, Rescored

__all__ = [
    "FEATURES",
    "MEASURES",
    "N_FEATURES",
    "Evidence",
    "NearCohort",
    "gather_evidence",
    "mean_of_largest",
    "shifted_alignments",
]

_N_NEIGHBORS = 20
_N_SPREAD = 100
_SHIFTS_S = np.array([-8.0, -4.0, -2.0, 2.0, 4.0, 8.0])
_MOST_SHARPNESS = 0.1
_LEAST_STEADY = 0.8
_LEAST_SPREAD = 0.02  # below what music has; a cohort of few vectors may have none


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The evidence for the best song.

    Attributes
    ----------
    mean_similarity : float in [-1, 1]
        Along the alignment.
    above_cohort : float
        Mean of each fingerprint's similarity less that to the nearest vectors of the cohort.
    above_neighbors : float
        The same against the nearest fingerprints of other songs in the database, the local density, where they are
        nearer still.
    margin : float
        Between the scores of the alignment and of the best one of any other song.
    win_rate : float in [0, 1]
        Share of query fingerprints that are nearer to their aligned position than to any fingerprint of another
        song, and to any vector of the cohort.
    clear_wins : float in [0, 2]
        By how much they are nearer to it, as a root mean square over all query fingerprints, losses counting as zero: a
        few clear seconds identify a song even where noise covers the others.
    above_shifted : float
        Between its score and the mean score of the same song 2, 4 and 8 s earlier and later: one position in a song is
        more than its style.
    sharpness : float in [-0.1, 0.1]
        Between its score and the second best of those positions, cut off: next to nothing in a drone, which is near to
        every other drone. The best of them is left out, because songs repeat themselves.
    z_above_neighbors : float
        As `above_neighbors`, each fingerprint's in units of the standard deviation of its similarities to the hundred
        nearest vectors of the cohort, as z-normalization has it in speaker verification.
    steadiness : float in [0, 0.2]
        By how much the squared length of the mean of the query's fingerprints is above 0.8: nothing for most music, and
        most where they are all the same.
    n_fingerprints : int >= 1
    """

    mean_similarity: float
    above_cohort: float
    above_neighbors: float
    margin: float
    win_rate: float
    clear_wins: float
    above_shifted: float
    sharpness: float
    z_above_neighbors: float
    steadiness: float
    n_fingerprints: int

    def to_vector(self) -> NDArray[np.float64]:
        """Return the features of the acceptance model, shape (N_FEATURES,)."""
        log_n = math.log(self.n_fingerprints)
        measures = [float(getattr(self, name)) for name in MEASURES]
        return np.array([*measures, log_n, *(value * log_n for value in measures)])


MEASURES = tuple(item.name for item in fields(Evidence) if item.name != "n_fingerprints")
FEATURES = (*MEASURES, "log_fingerprints", *(f"{name}_x_log_fingerprints" for name in MEASURES))
N_FEATURES = len(FEATURES)


@dataclass(frozen=True, slots=True)
class NearCohort:
    """How near the cohort, music in general, is to each query fingerprint.

    Attributes
    ----------
    similarity : ndarray of float64, shape (n_queries,)
        Mean over the twenty nearest vectors of the cohort, or of all where it has fewer.
    nearest : ndarray of float64, shape (n_queries,)
    spread : ndarray of float64, shape (n_queries,), at least 0.02
        Standard deviation over the hundred nearest.
    """

    similarity: NDArray[np.float64]
    nearest: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, similarities: NDArray[np.float32]) -> "NearCohort":
        """Measure similarities to every vector of the cohort, shape (n_queries, n_cohort)."""
        near, nearest = mean_of_largest(similarities, _N_NEIGHBORS), similarities.max(axis=1).astype(np.float64)
        return cls(near, nearest, _spread_of_largest(similarities, _N_SPREAD))

    @classmethod
    def of_neighbors(cls, similarities: NDArray[np.float32]) -> "NearCohort":
        """Stand in for a cohort that is missing: the nearest fingerprints, -inf where there are fewer."""
        near = mean_of_largest(similarities, _N_NEIGHBORS)
        return cls(near, near, _spread_of_largest(similarities, _N_SPREAD))


def shifted_alignments(rescored: Rescored) -> Alignments:
    """Return the best alignment's song at positions some seconds earlier and later."""
    n = _SHIFTS_S.size
    return Alignments(np.full(n, rescored.songs[0]), rescored.offsets_s[0] + _SHIFTS_S, np.zeros(n))


def gather_evidence(
    rescored: Rescored,
    shifted: Rescored,
    neighbors: Neighbors,
    songs: NDArray[np.int64],
    *,
    queries: NDArray[np.float32],
    same_songs: NDArray[np.int64],
    cohort: NearCohort,
) -> Evidence:
    """Measure the best of the rescored alignments.

    Parameters
    ----------
    rescored : Rescored
        At least one alignment, best first.
    shifted : Rescored
        Of :func:`shifted_alignments`.
    neighbors : Neighbors
    songs : ndarray of int64, shape (n_queries, n_neighbors)
        Song of each neighbor; -1 where there is none or it is masked.
    queries : ndarray of float32, shape (n_queries, dim)
        Unit rows.
    same_songs : ndarray of int64, shape (n,)
        The best song and those that are the same music at its place: they are no other songs.
    cohort : NearCohort
    """
    cohort_similarity = cohort.similarity
    score, similarities = float(rescored.scores[0]), rescored.similarities[0]
    others = np.where(np.isin(songs, same_songs) | (songs < 0), -np.inf, neighbors.similarities)
    # A handful of songs leaves everything else out of sight: the cohort is near even where they are not.
    density = np.maximum(mean_of_largest(others, _N_NEIGHBORS, fallback=cohort_similarity), cohort_similarity)
    lead = similarities - np.maximum(others.max(axis=1), cohort.nearest)
    runners_up = rescored.scores[~np.isin(rescored.songs, same_songs)]
    # Beyond its ends a song is as near as the cohort, which is a score of zero.
    elsewhere = np.sort(np.where(shifted.scores > NO_SCORE, shifted.scores, 0.0))
    return Evidence(
        mean_similarity=float(similarities.mean()),
        above_cohort=float((similarities - cohort_similarity).mean()),
        above_neighbors=float((similarities - density).mean()),
        margin=score - float(runners_up.max(initial=0.0)),
        win_rate=float((lead > 0).mean()),
        clear_wins=float(np.sqrt(np.mean(np.maximum(lead, 0.0) ** 2))),
        above_shifted=score - float(elsewhere.mean()),
        sharpness=float(np.clip(score - elsewhere[-2], -_MOST_SHARPNESS, _MOST_SHARPNESS)),
        z_above_neighbors=float(((similarities - density) / cohort.spread).mean()),
        steadiness=max(float(np.sum(queries.mean(axis=0, dtype=np.float64) ** 2)) - _LEAST_STEADY, 0.0),
        n_fingerprints=similarities.size,
    )


def mean_of_largest(
    values: NDArray[np.floating], n: int, fallback: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the mean of the ``n`` largest values of each row, with the fallback for those that are missing."""
    largest = _largest(values, n)
    finite = np.isfinite(largest)
    total = np.where(finite, largest, 0.0).sum(axis=1)
    if fallback is None:
        mean: NDArray[np.float64] = total / np.maximum(finite.sum(axis=1), 1)
    else:
        # Few other songs must not make a neighborhood look emptier than music is.
        mean = (total + (n - finite.sum(axis=1)) * fallback) / n
    return mean


def _spread_of_largest(values: NDArray[np.floating], n: int) -> NDArray[np.float64]:
    """Return the standard deviation of the ``n`` largest values of each row, or the least where it is less."""
    spread: NDArray[np.float64] = np.ma.masked_invalid(_largest(values, n)).std(axis=1).filled(0.0)
    return np.maximum(spread, _LEAST_SPREAD)


def _largest(values: NDArray[np.floating], n: int) -> NDArray[np.float64]:
    kept = min(n, values.shape[1])
    return np.partition(values, values.shape[1] - kept, axis=1)[:, values.shape[1] - kept :].astype(np.float64)
