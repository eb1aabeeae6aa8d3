"""The retrieval evaluation: rank-1, accepted and false accepts over the standard conditions, with intervals."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import (
    BOTH_HALVES,
    Calibration,
    CalibrationData,
    CrossFit,
    calibration_conditions,
    sound_conditions,
)
from evaluation.retrieval.conditions import CLEAN, Condition, paired_conditions, standard_conditions
from evaluation.retrieval.drones import FITTED_SEED, Drones
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.matching import Outcomes, System, match_all
from evaluation.retrieval.reliability import reliability
from evaluation.retrieval.same_music import SAME_SIMILARITY
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.corpus import recordings_if_any
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import paired_difference, poisson_upper, rate_by_track
from ondevice_db.index.codebook import Codebook
from ondevice_db.match.accept import SIZE_TERMS
from ondevice_db.recognizer import acceptance_of

__all__ = ["Evaluator", "evaluate_retrieval"]

_log = logging.getLogger(__name__)
_POSITION_TOLERANCE_S = 0.5
_DRONES_INDEXED, _DRONES_ASKED = 50, 300  # at most: no more than there are queries of known music


def evaluate_retrieval(
    model: str | Path,
    corpus: Path,
    cache: Path,
    *,
    conditions: Sequence[Condition] | None = None,
    n_queries: int = 2000,
    n_unknown: int = 900,
    n_sounds: int = 500,
    seed: int = 1,
    float_model: str | Path | None = None,
    reference_hop_s: float | None = None,
    codebook: Codebook | None = None,
    jobs: int = 1,
) -> tuple[dict[str, Any], Calibration]:
    """Evaluate retrieval on a corpus.

    The music of splits ``train`` and ``dev`` is indexed; queries are cut from ``dev``. Every condition has the same
    excerpts, and another system gets the same queries. Whether an answer is accepted is decided by an acceptance model
    that was fitted to the other half of the tracks (:mod:`evaluation.retrieval.calibration`).

    Parameters
    ----------
    model : str or Path
        Fingerprinter under test.
    corpus, cache : Path
        As for :func:`~evaluation.retrieval.evaluation_set.build_evaluation_set`.
    conditions : sequence of Condition, optional
        By default :func:`~evaluation.retrieval.conditions.standard_conditions`; those that are shorter than the
        model's window are left out.
    n_queries : int >= 1
        From known music, for each condition.
    n_unknown, n_sounds : int >= 1
        From unknown music, and from each of speech and noise.
    seed : int
    float_model : str or Path, optional
        The same encoder in float, for the paired comparison; it has its own database.
    reference_hop_s : float, optional, seconds
        Of the database; by default the model's.
    codebook : Codebook, optional
        By default the one that ships with the model.
    jobs : int >= 1

    Returns
    -------
    result : dict
        JSON-ready; see :func:`~evaluation.retrieval.report.to_markdown`.
    calibration : Calibration
        The acceptance model fitted to all tracks, which may ship. Its terms by size are those of the model's manifest;
        :mod:`evaluation.experiments.sizes` fits them.

    Notes
    -----
    Groups that a corpus lacks (measured rooms, unknown music, speech) are left out.
    """
    requested = list(conditions) if conditions is not None else standard_conditions()
    shortest_s = Fingerprinter.from_model(model).shortest_query_s
    has_rooms = bool(recordings_if_any(corpus, "rir", "dev"))
    chosen = [
        condition
        for condition in requested
        if condition.length_s >= shortest_s and (has_rooms or condition.room != "measured")
    ]
    if not chosen:
        message = (
            f"retrieval: expected a condition of at least the model's {shortest_s:g} s, found none of {len(requested)}"
        )
        raise ConfigError(message)
    _log.info("indexing")
    drawn: dict[str, Any] = {"n_queries": n_queries, "n_unknown": n_unknown, "n_sounds": n_sounds, "seed": seed}
    drawn |= {"room_kinds": {condition.room for condition in chosen}, "reference_hop_s": reference_hop_s, "jobs": jobs}
    run = Evaluator.of(build_evaluation_set(model, corpus, cache, codebook=codebook, **drawn), seed=seed, jobs=jobs)
    outcomes = {condition: run.match("known", condition) for condition in chosen}
    calibrated = [condition for condition in chosen if condition in calibration_conditions(shortest_s)] or chosen
    masked = {condition: run.match("known", condition, run.data.masks) for condition in calibrated}
    judged = [condition for condition in masked if condition != CLEAN] or list(masked)
    strangers = {condition: run.match("unknown", condition) for condition in judged if "unknown" in run.data.plans}
    examples = run.examples(outcomes, masked, strangers)
    cross_fit = examples.cross_fit()
    known = [_score(run, condition, outcomes[condition], cross_fit) for condition in chosen]
    compared = [condition for condition in chosen if condition in paired_conditions()]
    false_accepts = _false_accepts(run, strangers, {condition: masked[condition] for condition in judged}, cross_fit)
    _log.info("exact search")
    paired = {"codes against exact float search": _compare(run, outcomes, run.by_exact_search(), compared)}
    fingerprinter = run.data.embeddings.fingerprinter
    if float_model is not None:
        _log.info("float encoder")
        # The int8 model's codebook serves both: only the encoder differs.
        shared = codebook if codebook is not None else Codebook.load(fingerprinter.folder.path)
        other_data = build_evaluation_set(float_model, corpus, cache, codebook=shared, **drawn)
        other = Evaluator.of(other_data, seed=seed, jobs=jobs)
        paired["int8 against float encoder"] = _compare(run, outcomes, other, compared)
    library = run.data.library
    result = {
        "schema": "retrieval/1",
        "model": fingerprinter.name,
        "embedding_space": fingerprinter.embedding_space,
        "reference_hop_s": run.data.embeddings.reference_hop_s,
        "n_songs": int(library.song_starts.size - 1),
        "n_fingerprints": int(library.song_starts[-1]),
        "n_queries": n_queries,
        "n_tracks": len(set(run.tracks)),
        "seed": seed,
        "n_songs_with_duplicates": int((np.bincount(library.groups)[library.groups] > 1).sum()),
        "left_out_as_duplicates": [path.name for path in run.data.duplicates],
        "left_out_as_silent": [path.name for path in run.data.plans["known"].silent],
        "half_acceptances": [acceptance.to_dict() for acceptance in cross_fit.acceptances],
        "known": known,
        "false_accepts": false_accepts,
        "reliability": _reliability(run, outcomes, strangers, cross_fit),
        "paired": paired,
    }
    calibration, own = examples.fit(), acceptance_of(fingerprinter)
    kept = replace(calibration.acceptance, **{name: getattr(own, name) for name in SIZE_TERMS})
    return result, replace(calibration, acceptance=kept)


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


def _score(run: Evaluator, condition: Condition, outcomes: Outcomes, cross_fit: CrossFit) -> dict[str, Any]:
    data, queries = run.data, run.data.plans["known"].queries
    correct = run.correct(outcomes)
    _, accepted = cross_fit.judge(outcomes.features, run.halves)
    error_s = np.abs(outcomes.offsets_s - np.array([query.start_s for query in queries]))
    placed = np.flatnonzero(outcomes.songs == data.true_songs)
    elsewhere = placed[error_s[placed] > _POSITION_TOLERANCE_S]
    shipped = data.embeddings.shipped()
    n_repeats = sum(
        shipped.same_sound(
            queries[number].path, queries[number].start_s, float(outcomes.offsets_s[number]), condition.length_s
        )
        >= SAME_SIMILARITY
        for number in elsewhere
    )
    error_s = error_s[placed]
    return {
        "condition": condition.name,
        **condition.to_dict(),
        "rank1": run.rate(correct),
        "rank1_by_source": run.rate_by_source(correct),
        "accepted": run.rate(correct & accepted),
        "wrong_accepted": run.rate(~correct & accepted),
        # Repeats within a song make another position as right as the true one, hence a share and a median, no mean.
        "position_within_500_ms": float((error_s <= _POSITION_TOLERANCE_S).mean()) if error_s.size else None,
        "position_or_its_repeat": 1 - (elsewhere.size - n_repeats) / error_s.size if error_s.size else None,
        "position_error_median_s": float(np.median(error_s)) if error_s.size else None,
    }


def _reliability(
    run: Evaluator, outcomes: dict[Condition, Outcomes], strangers: dict[Condition, Outcomes], cross_fit: CrossFit
) -> list[dict[str, Any]]:
    """Compare scores with the share of right answers, for each condition and for all of them together."""
    if not strangers:
        return []
    halves = run.data.halves("unknown", run.seed)
    sides = {
        condition.name: (
            cross_fit.judge(outcomes[condition].features, run.halves)[0],
            run.correct(outcomes[condition]),
            cross_fit.judge(unknown.features, halves)[0],
        )
        for condition, unknown in strangers.items()
    }
    known, correct, unknown = (np.concatenate(column) for column in zip(*sides.values(), strict=True))
    sides["all of them"] = (known, correct, unknown)
    return [{"condition": name, **reliability(*side)} for name, side in sides.items()]


def _false_accepts(
    run: Evaluator, strangers: dict[Condition, Outcomes], masked: dict[Condition, Outcomes], cross_fit: CrossFit
) -> list[dict[str, Any]]:
    def row(name: str, condition: Condition, outcomes: Outcomes, halves: NDArray[np.int64]) -> dict[str, Any]:
        _, accepted = cross_fit.judge(outcomes.features, halves)
        n, count = int(accepted.size), int(accepted.sum())
        rate = {"n": n, "count": count, "rate": count / n, "upper_95": poisson_upper(count, n)}
        return {"queries": name, "condition": condition.name, **rate}

    def rows(plan: str, name: str, under: Sequence[Condition]) -> list[dict[str, Any]]:
        if plan not in run.data.plans:
            return []
        halves = run.data.halves(plan, run.seed)
        return [row(name, condition, run.match(plan, condition), halves) for condition in under]

    return [
        *(
            row("unknown music", condition, outcomes, run.data.halves("unknown", run.seed))
            for condition, outcomes in strangers.items()
        ),
        *(row("masked music", condition, outcomes, run.halves) for condition, outcomes in masked.items()),
        *rows("speech", "speech", run.sound_conditions),
        *rows("noise", "noise", run.sound_conditions),
    ]


def _compare(
    first: Evaluator, outcomes: dict[Condition, Outcomes], second: Evaluator, conditions: Sequence[Condition]
) -> list[dict[str, Any]]:
    rows = []
    for condition in conditions:
        ours = first.correct(outcomes[condition]).astype(np.float64)
        theirs = second.correct(second.match("known", condition)).astype(np.float64)
        difference = paired_difference(ours, theirs, first.tracks, first.rng)
        shares = {"first": float(ours.mean()), "second": float(theirs.mean())}
        rows.append({"condition": condition.name, **shares, **difference})
    return rows
