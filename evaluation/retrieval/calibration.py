"""Fit the acceptance model to queries whose answer is known, and judge queries by a model that was not fitted to them.

Correct answers come from degraded queries of dev music. Wrong ones come from the same queries with their song (and its
duplicates) masked from the index, from known queries whose first song is another, from speech and noise of the
``train`` split, and from synthetic drones among others (:mod:`evaluation.retrieval.drones`). The model that ships is
fitted to all of them.

Its figures on these queries would be those of a fit on its own data. Therefore the dev tracks are divided into two
halves, a model is fitted to each, and each judges the queries of the other half (two-fold cross-fitting).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.acceptance_fit import FalseAcceptRates, fit_acceptance
from evaluation.retrieval.conditions import CLEAN, LONGEST_S, Condition, paired_conditions
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.evidence import MEASURES, N_FEATURES, Evidence

__all__ = [
    "Calibration",
    "CalibrationData",
    "CrossFit",
    "calibration_conditions",
    "half_acceptances",
    "judge",
    "sound_conditions",
    "split_tracks",
]

BOTH_HALVES: Final = -1  # half of examples that every fit gets: speech and noise of the train split
# Below the 0.3 % that are aimed at for music, and for short queries more, since noise is to stay below 0.1 %: wrong
# answers come in clusters, one recording's at a time, so that recordings that no fit has seen bring more of them. Of a
# hundred drones two may be taken for another.
_FALSE_ACCEPT_RATES: Final = FalseAcceptRates(full=0.0015, short=0.001, drones=0.01)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted acceptance model and what it was fitted to.

    Attributes
    ----------
    acceptance : Acceptance
    n_known, n_unknown, n_drones : int
    false_accept_rates : FalseAcceptRates
        For which the thresholds were chosen, on the queries of the fit.
    """

    acceptance: Acceptance
    n_known: int
    n_unknown: int
    n_drones: int
    false_accept_rates: FalseAcceptRates

    def to_dict(self) -> dict[str, Any]:
        """Return the ``acceptance`` table for a fingerprint model's manifest."""
        return {
            **self.acceptance.to_dict(),
            "calibration": {
                "n_known": self.n_known,
                "n_unknown": self.n_unknown,
                "n_drones": self.n_drones,
                "false_accept_rates": asdict(self.false_accept_rates),
            },
        }


@dataclass(frozen=True, slots=True)
class CalibrationData:
    """Examples of correct and of wrong answers.

    Attributes
    ----------
    features : ndarray of float64, shape (n, N_FEATURES)
        :meth:`~ondevice_db.match.evidence.Evidence.to_vector` of each answer; NaN where there was no candidate.
    is_correct : ndarray of bool, shape (n,)
    halves : ndarray of int64, shape (n,)
        Half of the tracks that the query was cut from, 0 or 1; -1 where both fits get the example.
    n_searched : int
        Fingerprints in the database.
    drones : ndarray of float64, shape (n_drones, N_FEATURES)
        Of drones that were taken for others; both fits get them.
    """

    features: NDArray[np.float64]
    is_correct: NDArray[np.bool_]
    halves: NDArray[np.int64]
    n_searched: int
    drones: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, N_FEATURES)))

    @classmethod
    def join(
        cls,
        parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]],
        n_searched: int,
        drones: Sequence[NDArray[np.float64]] = (),
    ) -> "CalibrationData":
        """Join the features, correctness and halves of several sets of answers, and the features of drones."""
        features, is_correct, halves = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(features, is_correct, halves, n_searched, np.concatenate([np.empty((0, N_FEATURES)), *drones]))

    def fit(self, half: int | None = None, *, rates: FalseAcceptRates = _FALSE_ACCEPT_RATES) -> Calibration:
        """Fit the acceptance model to one half of the tracks, or to all of them.

        Parameters
        ----------
        half : {0, 1}, optional
        rates : FalseAcceptRates
            For which the thresholds are chosen.
        """
        chosen = np.isfinite(self.features).all(axis=1)
        if half is not None:
            chosen &= (self.halves == half) | (self.halves == BOTH_HALVES)
        known, unknown = self.features[chosen & self.is_correct], self.features[chosen & ~self.is_correct]
        drones = self.drones[np.isfinite(self.drones).all(axis=1)]
        acceptance = replace(fit_acceptance(known, unknown, drones, rates=rates), n_fitted=self.n_searched)
        return Calibration(acceptance, len(known), len(unknown), len(drones), rates)

    def cross_fit(self) -> "CrossFit":
        """Fit a model to each half of the tracks.

        Raises
        ------
        ConfigError
            When a half has no correct or no wrong answers, as with fewer than two tracks.
        """
        return CrossFit((self.fit(0).acceptance, self.fit(1).acceptance), self.n_searched)


def half_acceptances(metrics: Mapping[str, Any]) -> tuple[Acceptance, Acceptance]:
    """Return the models of the two halves that ``nowplaying evaluate retrieval --metrics`` left in the metrics."""
    halves = (Acceptance.from_dict(table) for table in metrics["half_acceptances"])
    first, second = (replace(half, n_fitted=metrics["n_fingerprints"]) for half in halves)
    return first, second


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Two acceptance models, each fitted to one half of the tracks.

    Attributes
    ----------
    acceptances : tuple of two Acceptance
        The first is fitted to half 0.
    n_searched : int
        Fingerprints in the database.
    """

    acceptances: tuple[Acceptance, Acceptance]
    n_searched: int

    def judge(
        self, features: NDArray[np.float64], halves: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Score each answer by the model that was fitted to the other half of the tracks.

        Parameters
        ----------
        features : ndarray of float64, shape (n, N_FEATURES)
        halves : ndarray of int64, 0 or 1, shape (n,)
            Of the queries' tracks, from :func:`split_tracks`. Recordings that no model was fitted to are divided too,
            so that each is judged once.

        Returns
        -------
        scores : ndarray of float64, shape (n,), in [0, 1]
        accepted : ndarray of bool, shape (n,)
        """
        scores, accepted = np.zeros(len(features)), np.zeros(len(features), bool)
        for half, acceptance in enumerate(self.acceptances):
            others = halves != half
            scores[others], accepted[others] = judge(acceptance, features[others], self.n_searched)
        return scores, accepted


def judge(
    acceptance: Acceptance, features: NDArray[np.float64], n_searched: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score answers by an acceptance model, and decide as the matcher decides.

    Parameters
    ----------
    acceptance : Acceptance
    features : ndarray of float64, shape (n, N_FEATURES)
        NaN where there was no candidate: such a query scores 0 and is not accepted.
    n_searched : int
        Fingerprints in the database.

    Returns
    -------
    scores : ndarray of float64, shape (n,), in [0, 1]
    accepted : ndarray of bool, shape (n,)
    """
    scores, accepted = np.zeros(len(features)), np.zeros(len(features), bool)
    for row in np.flatnonzero(np.isfinite(features).all(axis=1)):
        measures = dict(zip(MEASURES, features[row].tolist(), strict=False))
        evidence = Evidence(**measures, n_fingerprints=round(math.exp(features[row, len(MEASURES)])))
        scores[row] = acceptance.probability(evidence, n_searched=n_searched)
        accepted[row] = scores[row] >= acceptance.threshold_for(evidence.n_fingerprints)
    return scores, accepted


def split_tracks(tracks: Sequence[Hashable], rng: np.random.Generator) -> NDArray[np.int64]:
    """Divide queries into two halves; all queries of one track are in the same half.

    Parameters
    ----------
    tracks : sequence, length n_queries
        What each query was cut from: equal for duplicates of the same music.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, 0 or 1, shape (n_queries,)
    """
    numbers = {track: number for number, track in enumerate(dict.fromkeys(tracks))}
    half_of = rng.permutation(len(numbers)) % 2
    return np.array([half_of[numbers[track]] for track in tracks], np.int64)


def calibration_conditions(shortest_s: float) -> list[Condition]:
    """Return the conditions that the fit is for: clean sound, and the easier and the harder conditions, long and short.

    Parameters
    ----------
    shortest_s : float, seconds
        Of a model's queries; one second is among the conditions where that is enough for it.
    """
    paired = paired_conditions()
    seconds = [replace(one, length_s=1.0) for one in paired if one.length_s == LONGEST_S]
    return [CLEAN, *(one for one in (*paired, *seconds) if one.length_s >= shortest_s)]


def sound_conditions(shortest_s: float) -> list[Condition]:
    """Return the lengths under which speech and noise are asked for, with the same parameter."""
    return [one for one in (CLEAN, Condition(length_s=2.0), Condition(length_s=1.0)) if one.length_s >= shortest_s]
