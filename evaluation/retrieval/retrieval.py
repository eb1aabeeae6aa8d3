"""The retrieval evaluation: rank-1, accepted and false accepts over the standard conditions, with intervals."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import CLEAN, Condition, paired_conditions, standard_conditions
from evaluation.retrieval.matching import Outcomes, System, match_all
from evaluation.retrieval.same_music import SAME_SIMILARITY
from evaluation.retrieval.setting import Setting, build_setting
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.corpus import recordings_if_any
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import (
    clopper_pearson,
    paired_difference,
    poisson_upper,
    rate_by_track,
)
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.codebook import Codebook
from ondevice_db.match.accept import Acceptance
from ondevice_db.recognizer import acceptance_of

__all__ = ["evaluate_retrieval"]

_log = logging.getLogger(__name__)
_PLACE_TOLERANCE_S = 0.5


def evaluate_retrieval(
    model: str | Path,
    corpus_root: Path,
    cache: Path,
    *,
    conditions: Sequence[Condition] | None = None,
    n_queries: int = 2000,
    n_unknown: int = 900,
    n_sounds: int = 500,
    seed: int = 1,
    float_model: str | Path | None = None,
    acceptance: Acceptance | None = None,
    options: SearchOptions | None = None,
    reference_hop_s: float | None = None,
    codebook: Codebook | None = None,
    jobs: int = 1,
    progress: Callable[[str], None] = _log.info,
) -> dict[str, Any]:
    """Evaluate retrieval on a corpus.

    The music of splits ``train`` and ``dev`` is indexed; queries are cut from ``dev``. Every condition has the same
    excerpts, and another system answers the same queries.

    Parameters
    ----------
    model : str or Path
        Fingerprinter under test.
    corpus_root : Path
    cache : Path
        Folder for decoded audio, fingerprints and the database.
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
    acceptance : Acceptance, optional
        By default the one in the model's manifest.
    options : SearchOptions, optional
    reference_hop_s : float, optional, seconds
        Of the database; by default the model's.
    codebook : Codebook, optional
        By default the one that ships with the model.
    jobs : int >= 1
    progress : callable
        Is told in words what is done next.

    Notes
    -----
    What a corpus does not have is left out: measured rooms, unknown music, speech.

    Returns
    -------
    dict
        JSON-ready; see :func:`~evaluation.retrieval.report.to_markdown`.
    """
    asked = list(conditions) if conditions is not None else standard_conditions()
    shortest_s = Fingerprinter.from_model(model).shortest_query_s
    has_rooms = bool(recordings_if_any(corpus_root, "rir", "dev"))
    chosen = [
        condition
        for condition in asked
        if condition.length_s >= shortest_s and (has_rooms or condition.room != "measured")
    ]
    if not chosen:
        message = (
            f"retrieval: expected a condition of at least the model's {shortest_s:g} s, found none of {len(asked)}"
        )
        raise ConfigError(message)
    progress("indexing")
    room_kinds = {condition.room for condition in chosen}
    setting = build_setting(
        model,
        corpus_root,
        cache,
        n_queries=n_queries,
        n_unknown=n_unknown,
        n_sounds=n_sounds,
        seed=seed,
        room_kinds=room_kinds,
        reference_hop_s=reference_hop_s,
        codebook=codebook,
        jobs=jobs,
    )
    fingerprinter = setting.cache.fingerprinter
    system = System(
        library=setting.library,
        acceptance=acceptance if acceptance is not None else acceptance_of(fingerprinter),
        hop_s=fingerprinter.query_hop_s,
        options=options if options is not None else SearchOptions(),
    )
    tracks = [str(query.path) for query in setting.plans["known"].queries]
    run = _Run(setting, system, tracks, np.random.default_rng([seed, 99]), jobs)
    known: list[dict[str, Any]] = []
    outcomes: dict[Condition, Outcomes] = {}
    for condition in chosen:
        progress(condition.name)
        outcomes[condition] = run.match("known", condition)
        known.append(_score(run, condition, outcomes[condition]))
    progress("false accepts")
    false_accepts = _false_accepts(run, chosen)
    progress("exact search")
    exact = replace(run, system=replace(system, search="exact"))
    compared = [condition for condition in chosen if condition in paired_conditions()]
    by_exact = {condition: exact.match("known", condition) for condition in compared}
    paired = {"codes against exact float search": _compare(run, outcomes, exact, by_exact)}
    if float_model is not None:
        progress("float encoder")
        # The int8 model's codebook serves both: what differs is the encoder alone.
        shared = codebook if codebook is not None else Codebook.load(fingerprinter.folder.path)
        other_setting = build_setting(
            float_model,
            corpus_root,
            cache,
            n_queries=n_queries,
            n_unknown=n_unknown,
            n_sounds=n_sounds,
            seed=seed,
            room_kinds=room_kinds,
            reference_hop_s=reference_hop_s,
            codebook=shared,
            jobs=jobs,
        )
        other = replace(run, setting=other_setting, system=replace(system, library=other_setting.library))
        by_float = {condition: other.match("known", condition) for condition in compared}
        paired["int8 against float encoder"] = _compare(run, outcomes, other, by_float)
    return {
        "schema": "retrieval/1",
        "model": fingerprinter.name,
        "embedding_space": fingerprinter.embedding_space,
        "reference_hop_s": setting.cache.reference_hop_s,
        "n_songs": int(setting.library.song_starts.size - 1),
        "n_fingerprints": int(setting.library.song_starts[-1]),
        "n_queries": n_queries,
        "n_tracks": len(set(tracks)),
        "seed": seed,
        "n_songs_with_twins": int((np.bincount(setting.library.groups)[setting.library.groups] > 1).sum()),
        "left_out_as_twins": [path.name for path in setting.twins],
        "left_out_as_silent": [path.name for path in setting.plans["known"].silent],
        "acceptance": system.acceptance.to_dict(),
        "known": known,
        "false_accepts": false_accepts,
        "paired": paired,
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """A system, what it is asked, and how the answers are counted."""

    setting: Setting
    system: System
    tracks: list[str]
    rng: np.random.Generator
    jobs: int

    def match(self, plan: str, condition: Condition, masks: list[tuple[int, ...]] | None = None) -> Outcomes:
        """Match the queries of a plan under a condition."""
        embeddings = self.setting.cache.queries(self.setting.plans[plan], condition)
        return match_all(self.system, embeddings, masks, jobs=self.jobs)

    def rate(self, values: NDArray[np.bool_]) -> dict[str, Any]:
        """Return a proportion of the known queries with its intervals."""
        return rate_by_track(values, self.tracks, self.rng)

    def rate_by_source(self, values: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the proportion for recordings from sources that training has other music of, and from the others."""
        seen = self.setting.from_seen_source
        parts = {"seen": np.flatnonzero(seen), "unseen": np.flatnonzero(~seen)}
        return {
            name: rate_by_track(values[rows], [self.tracks[row] for row in rows], self.rng)
            for name, rows in parts.items()
            if rows.size
        }


def _score(run: _Run, condition: Condition, outcomes: Outcomes) -> dict[str, Any]:
    setting = run.setting
    right = outcomes.right(setting.library, setting.truth)
    queries = setting.plans["known"].queries
    error_s = np.abs(outcomes.offsets_s - np.array([query.start_s for query in queries]))
    placed = np.flatnonzero(outcomes.songs == setting.truth)
    elsewhere = placed[error_s[placed] > _PLACE_TOLERANCE_S]
    listener = run.setting.cache.shipped()
    n_repeats = sum(
        listener.same_sound(
            queries[number].path, queries[number].start_s, float(outcomes.offsets_s[number]), condition.length_s
        )
        >= SAME_SIMILARITY
        for number in elsewhere
    )
    error_s = error_s[placed]
    return {
        "condition": condition.name,
        **condition.to_dict(),
        "rank1": run.rate(right),
        "rank1_by_source": run.rate_by_source(right),
        "accepted": run.rate(right & outcomes.accepted),
        "wrong_accepted": run.rate(~right & outcomes.accepted),
        # Repeats within a song make another place as right as the true one, hence a share and a median, no mean.
        "place_within_500_ms": float((error_s <= _PLACE_TOLERANCE_S).mean()) if error_s.size else None,
        "place_or_its_repeat": 1 - (elsewhere.size - n_repeats) / error_s.size if error_s.size else None,
        "place_error_median_s": float(np.median(error_s)) if error_s.size else None,
        "match_ms_p50": float(np.median(outcomes.latency_ms)),
        "match_ms_p95": float(np.percentile(outcomes.latency_ms, 95)),
    }


def _false_accepts(run: _Run, conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    degraded = [condition for condition in conditions if condition in paired_conditions()] or list(conditions)
    plans = run.setting.plans
    unknown = degraded if "unknown" in plans else []
    rows = [_false_row("unknown music", condition, run.match("unknown", condition)) for condition in unknown]
    masks = [run.setting.library.members(int(song)) for song in run.setting.truth]
    rows += [_false_row("masked music", condition, run.match("known", condition, masks)) for condition in degraded]
    for name in sorted({"speech", "noise"} & set(plans)):
        for condition in (CLEAN, Condition(length_s=2.0)):
            rows.append(_false_row(name, condition, run.match(name, condition)))
    return rows


def _false_row(kind: str, condition: Condition, outcomes: Outcomes) -> dict[str, Any]:
    n, count = int(outcomes.accepted.size), int(outcomes.accepted.sum())
    return {
        "queries": kind,
        "condition": condition.name,
        "n": n,
        "count": count,
        "rate": count / n,
        "clopper_pearson": clopper_pearson(count, n).bounds,
        "upper_95": poisson_upper(count, n),
    }


def _compare(
    run: _Run, first: dict[Condition, Outcomes], other: _Run, second: dict[Condition, Outcomes]
) -> list[dict[str, Any]]:
    rows = []
    for condition, outcomes in second.items():
        ours = first[condition].right(run.setting.library, run.setting.truth).astype(np.float64)
        theirs = outcomes.right(other.setting.library, other.setting.truth).astype(np.float64)
        difference = paired_difference(ours, theirs, run.tracks, run.rng)
        shares = {"first": float(ours.mean()), "second": float(theirs.mean())}
        rows.append({"condition": condition.name, **shares, **difference})
    return rows
