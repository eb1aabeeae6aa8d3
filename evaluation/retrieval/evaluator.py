"""A system under evaluation and its queries: it answers them, counts its answers, and fits acceptance models."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import BOTH_HALVES, CalibrationData, CrossFit, sound_conditions
from evaluation.retrieval.conditions import CLEAN, Condition
from evaluation.retrieval.drones import FITTED_SEED, Drones
from evaluation.retrieval.evaluation_set import EvaluationSet
from evaluation.retrieval.matching import Outcomes, System, match_all
from nowplaying_core.statistics import rate_by_track

__all__ = ["Evaluator"]

_log = logging.getLogger(__name__)
_DRONES_INDEXED, _DRONES_ASKED = 50, 300  # at most: no more than there are queries of known music


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A system, its queries, and the halves that their tracks are in.

    Attributes
    ----------
    data : EvaluationSet
    system : System
    halves : ndarray of int64, 0 or 1, shape (n_known,)
        Of the known queries.
    seed : int
        Of the halves and of the queries that are drawn beside the known ones.
    rng : numpy.random.Generator
        For bootstraps.
    jobs : int >= 1
    """

    data: EvaluationSet
    system: System
    halves: NDArray[np.int64]
    seed: int
    rng: np.random.Generator
    jobs: int

    @classmethod
    def of(cls, data: EvaluationSet, *, seed: int, jobs: int) -> "Evaluator":
        """Search the database of an evaluation set through its codes."""
        system = System(library=data.library, hop_s=data.embeddings.query_hop_s)
        return cls(data, system, data.halves("known", seed), seed, np.random.default_rng([seed, 99]), jobs)

    def by_exact_search(self) -> "Evaluator":
        """Return the same with exact search through float vectors."""
        return replace(self, system=replace(self.system, search="exact"))

    @property
    def sound_conditions(self) -> list[Condition]:
        """Return the lengths under which speech and noise are asked for."""
        return sound_conditions(self.data.embeddings.fingerprinter.shortest_query_s)

    @property
    def tracks(self) -> list[str]:
        """Return the recording that each known query was cut from."""
        return [str(query.path) for query in self.data.plans["known"].queries]

    def match(self, plan: str, condition: Condition, masks: list[tuple[int, ...]] | None = None) -> Outcomes:
        """Match the queries of a plan under a condition."""
        _log.info("%s%s, %s", plan, " masked" if masks else "", condition.name)
        embeddings = self.data.embeddings.queries(self.data.plans[plan], condition)
        first_s = self.data.embeddings.first_s(condition)
        return match_all(self.system, embeddings, masks, first_s=first_s, jobs=self.jobs)

    def correct(self, outcomes: Outcomes) -> NDArray[np.bool_]:
        """Return for each known query whether its song, or a duplicate of it, came first."""
        return outcomes.correct(self.data.library, self.data.true_songs)

    def rate(self, values: NDArray[np.bool_]) -> dict[str, Any]:
        """Return a proportion of the known queries with its intervals."""
        return rate_by_track(values, self.tracks, self.rng)

    def rate_by_source(self, values: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the proportion for recordings from sources that training has other music of, and from the others."""
        seen = self.data.from_seen_source
        parts = {"seen": np.flatnonzero(seen), "unseen": np.flatnonzero(~seen)}
        return {
            name: rate_by_track(values[rows], [self.tracks[row] for row in rows], self.rng)
            for name, rows in parts.items()
            if rows.size
        }

    def cross_fit(self, conditions: Sequence[Condition]) -> CrossFit:
        """Match known queries under some conditions, and fit an acceptance model to each half of the tracks."""
        known = {condition: self.match("known", condition) for condition in conditions}
        masked = {condition: self.match("known", condition, self.data.masks) for condition in conditions}
        noisy = [condition for condition in conditions if condition != CLEAN]
        unknown = {condition: self.match("unknown", condition) for condition in noisy if "unknown" in self.data.plans}
        return self.examples(known, masked, unknown).cross_fit()

    def examples(
        self,
        outcomes: dict[Condition, Outcomes],
        masked: dict[Condition, Outcomes],
        unknown: dict[Condition, Outcomes],
    ) -> CalibrationData:
        """Return what the acceptance model is fitted to.

        Parameters
        ----------
        outcomes : dict of Condition to Outcomes
            Of the known queries.
        masked : dict of Condition to Outcomes
            Of the known queries with their songs masked; only these conditions are fitted to.
        unknown : dict of Condition to Outcomes
            Of unknown music.
        """
        wrong = np.zeros(self.halves.size, bool)
        parts = []
        for condition, without_song in masked.items():
            parts.append((outcomes[condition].features, self.correct(outcomes[condition]), self.halves))
            parts.append((without_song.features, wrong, self.halves))
        for found in unknown.values():
            nothing = np.zeros(len(found.features), bool)
            parts.append((found.features, nothing, self.data.halves("unknown", self.seed)))
        for name in sorted({"train speech", "train noise"} & set(self.data.plans)):
            for condition in self.sound_conditions:
                features = self.match(name, condition).features
                parts.append((features, np.zeros(len(features), bool), np.full(len(features), BOTH_HALVES)))
        return CalibrationData.join(parts, int(self.data.library.song_starts[-1]), self._drones())

    def _drones(self) -> list[NDArray[np.float64]]:
        """Return the evidence of drones that are taken for others, of each length."""
        _log.info("drones")
        database = self.data.library.database.with_suffix(".fitted-drones.npdb")
        n_indexed, n_asked = (min(number, self.halves.size) for number in (_DRONES_INDEXED, _DRONES_ASKED))
        drones = Drones.among(self.data.library, self.data.embeddings, database, n_indexed=n_indexed, seed=FITTED_SEED)
        found = [drones.ask(n_asked, one.length_s).features for one in self.sound_conditions]
        shutil.rmtree(database)
        return found
