"""The retrieval evaluation: rank-1, accepted and false accepts over the standard conditions, with intervals."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import Calibration, CrossFit, calibration_conditions
from evaluation.retrieval.conditions import CLEAN, Condition, paired_conditions, standard_conditions
from evaluation.retrieval.evaluation_set import build_evaluation_set, measured_rooms
from evaluation.retrieval.evaluator import Evaluator
from evaluation.retrieval.matching import Outcomes
from evaluation.retrieval.reliability import reliability
from evaluation.retrieval.same_music import SAME_SIMILARITY
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import paired_difference, poisson_upper
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import SIZE_TERMS

__all__ = ["evaluate_retrieval"]

_log = logging.getLogger(__name__)
_POSITION_TOLERANCE_S = 0.5


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
    has_rooms = bool(measured_rooms(corpus))
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
        shared = codebook if codebook is not None else load_codebook(fingerprinter.folder.path)
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
