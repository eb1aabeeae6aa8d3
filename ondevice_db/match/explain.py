"""Why a song was named, or why not: the evidence second by second, and what was missing.

What was missing is read off the acceptance model itself: each measure in turn is set to what it is for a clear match,
and the measures that would have raised the score most are the reasons. So the words cannot drift away from the
decision.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import Neighbors
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.evidence import Evidence
from ondevice_db.match.rescore import Rescored

__all__ = ["CLEAR_MATCH", "Reason", "Step", "gather_steps", "reasons_against"]

# Medians over 36 queries: 8 s from three positions of each shipped demo song under the demo's talking at 5 dB, in a
# database of these songs. All of them are recognized.
CLEAR_MATCH: Mapping[str, float] = {
    "mean_similarity": 0.90,
    "above_cohort": 0.48,
    "above_neighbors": 0.48,
    "margin": 0.48,
    "win_rate": 1.0,
    "clear_wins": 0.30,
    "above_shifted": 0.37,
    "sharpness": 0.10,
}
_WORDS: Mapping[str, str] = {
    "mean_similarity": "its fingerprints are not much like the query's",
    "above_cohort": "it is hardly nearer to the query than other music is",
    "above_neighbors": "other songs have fingerprints that are as near",
    "margin": "another song fits nearly as well",
    "win_rate": "few fingerprints are nearer to it than to everything else",
    "clear_wins": "no fingerprint is much nearer to it than to everything else",
    "above_shifted": "it fits as well some seconds earlier or later",
    "sharpness": "its position in the song is not distinct",
}
_MOST_REASONS = 3
_LEAST_GAIN = 0.25  # in logits; less is no reason


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

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "wins": self.wins}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One thing that speaks against the best song.

    Attributes
    ----------
    measure : str
        Field of `Evidence`.
    value, clear : float
        What it is, and what it is for a clear match.
    missing : float
        What the difference costs, in logits of the score.
    text : str
    """

    measure: str
    value: float
    clear: float
    missing: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def gather_steps(
    rescored: Rescored,
    neighbors: Neighbors,
    songs: NDArray[np.int64],
    *,
    nearest_cohort: NDArray[np.float64],
    times_s: NDArray[np.float64],
) -> tuple[Step, ...]:
    """Return the evidence of each query fingerprint for the best of the rescored alignments.

    Parameters
    ----------
    rescored : Rescored
        At least one alignment, best first.
    neighbors : Neighbors
    songs : ndarray of int64, shape (n_queries, n_neighbors)
        Song of each neighbor; -1 where there is none or it is masked.
    nearest_cohort : ndarray of float64, shape (n_queries,)
        Of each fingerprint and the nearest vector of the cohort.
    times_s : ndarray of float64, shape (n_queries,), seconds
    """
    others = np.where((songs == rescored.songs[0]) | (songs < 0), -np.inf, neighbors.similarities)
    nearest = others.argmax(axis=1)
    rows = np.arange(times_s.size)
    known = np.isfinite(others[rows, nearest])
    return tuple(
        Step(
            time_s=float(times_s[row]),
            reference_s=float(rescored.offsets_s[0] + times_s[row]),
            similarity=float(rescored.similarities[0, row]),
            cohort_similarity=float(nearest_cohort[row]),
            runner_up_similarity=float(others[row, nearest[row]]) if known[row] else None,
            runner_up_song=int(songs[row, nearest[row]]) if known[row] else None,
        )
        for row in rows
    )


def reasons_against(evidence: Evidence, acceptance: Acceptance) -> tuple[Reason, ...]:
    """Return what would have raised the score most, had it been as it is for a clear match.

    Parameters
    ----------
    evidence : Evidence
        Of the best song.
    acceptance : Acceptance
    """
    score = _logit(acceptance.probability(evidence))
    found = []
    for measure, clear in CLEAR_MATCH.items():
        value = float(getattr(evidence, measure))
        changed = replace(evidence, **{measure: clear})  # type: ignore[arg-type]  # measures are float fields
        missing = _logit(acceptance.probability(changed)) - score
        if value < clear and missing >= _LEAST_GAIN:
            text = f"{_WORDS[measure]} ({measure} {value:.2f}, {clear:.2f} for a clear match)"
            found.append(Reason(measure=measure, value=value, clear=clear, missing=missing, text=text))
    return tuple(sorted(found, key=lambda reason: -reason.missing)[:_MOST_REASONS])


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-15), 1 - 1e-15)
    return math.log(bounded) - math.log1p(-bounded)
