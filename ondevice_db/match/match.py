"""The result of a query: songs with their probabilities, and on request the evidence of each fingerprint."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import Neighbors
from ondevice_db.match.evidence import Evidence
from ondevice_db.match.rescore import Rescored

__all__ = ["Candidate", "Ranking", "SamePlace", "Step", "Trace"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SamePlace:
    """Another song with the same music at the same place.

    Attributes
    ----------
    song_index : int
    offset_s : float, seconds
        As of `Candidate`.
    """

    song_index: int
    offset_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One song that the query may be.

    Attributes
    ----------
    song_index : int
    offset_s : float, seconds
        Reference time of the query's first sample; negative when the query began before the song.
    raw_score : float
        Soft mean of the similarities along the alignment above those to the cohort.
    score : float in [0, 1]
        Calibrated probability that this is the song.
    also : tuple of SamePlace
        Songs that are the same music there, such as another encoding; of the first candidate only.
    """

    song_index: int
    offset_s: float
    raw_score: float
    score: float
    also: tuple[SamePlace, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """The evidence of one query fingerprint.

    Attributes
    ----------
    time_s, reference_s : float, seconds
        Where it begins in the query, and where the alignment puts it in the song.
    similarity : float
        With the best song at that position; where the song is silent or does not reach, the similarity to the cohort.
    cohort_similarity : float
        With the nearest vector of the cohort.
    runner_up_similarity : float or None
        With the nearest fingerprint of any other song.
    runner_up_song : int or None
        Song index of that one.
    """

    time_s: float
    reference_s: float
    similarity: float
    cohort_similarity: float
    runner_up_similarity: float | None
    runner_up_song: int | None

    @property
    def wins(self) -> bool:
        """Whether it is nearer to its position in the song than to any other song and to the cohort."""
        return self.similarity > max(
            self.cohort_similarity, -1.0 if self.runner_up_similarity is None else self.runner_up_similarity
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The intermediate results of a match, from which its steps are made.

    Attributes
    ----------
    rescored : Rescored
        At least one alignment, best first.
    neighbors : Neighbors
    songs : ndarray of int64, shape (n_queries, n_neighbors)
        Song of each neighbor; -1 where there is none or it is masked.
    same : ndarray of int64, shape (n,)
        Rows of ``rescored``: the song that is named, and those that are the same music there.
    nearest_cohort : ndarray of float64, shape (n_queries,)
        Similarity of each query fingerprint to the nearest vector of the cohort.
    times_s : ndarray of float64, shape (n_queries,), seconds
    """

    rescored: Rescored
    neighbors: Neighbors
    songs: NDArray[np.int64]
    same: NDArray[np.int64]
    nearest_cohort: NDArray[np.float64]
    times_s: NDArray[np.float64]

    def steps(self) -> tuple[Step, ...]:
        """Return the evidence of each query fingerprint for the best alignment."""
        best = int(self.same[0])
        same = self.rescored.songs[self.same]
        others = np.where(np.isin(self.songs, same) | (self.songs < 0), -np.inf, self.neighbors.similarities)
        nearest = others.argmax(axis=1)
        rows = np.arange(self.times_s.size)
        known = np.isfinite(others[rows, nearest])
        return tuple(
            Step(
                time_s=float(self.times_s[row]),
                reference_s=float(self.rescored.offsets_s[best] + self.times_s[row]),
                similarity=float(self.rescored.similarities[best, row]),
                cohort_similarity=float(self.nearest_cohort[row]),
                runner_up_similarity=float(others[row, nearest[row]]) if known[row] else None,
                runner_up_song=int(self.songs[row, nearest[row]]) if known[row] else None,
            )
            for row in rows
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The answer to one query.

    Attributes
    ----------
    candidates : tuple of Candidate
        Best first, one per song.
    best : Candidate or None
        The first candidate where its score reaches the threshold; None is "unknown".
    evidence : Evidence or None
        Of the first candidate.
    threshold : float in [0, 1]
    n_scanned : int
        Reference fingerprints that each query fingerprint was compared with.
    trace : Trace or None
        None without a candidate.
    """

    candidates: tuple[Candidate, ...]
    best: Candidate | None
    evidence: Evidence | None
    threshold: float
    n_scanned: int
    trace: Trace | None = field(default=None, repr=False, compare=False)

    @property
    def odds_factor(self) -> float:
        """By what factor the odds of the answer are above those of the threshold; 0 for "unknown"."""
        if self.best is None:
            return 0.0
        score = min(self.best.score, 1 - 1e-12)
        return score / (1 - score) / (self.threshold / max(1 - self.threshold, 1e-9))

    def steps(self) -> tuple[Step, ...]:
        """Return the evidence of each query fingerprint for the first candidate; computed by this call."""
        return () if self.trace is None else self.trace.steps()
