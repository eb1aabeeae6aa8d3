"""Evaluate a grid of the literature: its segments and songs, by the paper's retrieval and by ours."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.answers import Answers, ask_landmarks, ask_matcher, ask_published
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import index_corpus, plan_known
from evaluation.retrieval.library import Library
from evaluation.retrieval.matching import System
from evaluation.retrieval.protocols import GRIDS, Grid
from evaluation.retrieval.queries import Plan
from nowplaying_core.artifacts import canonical_json, write_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import rate_by_track, wilson
from ondevice_db.index.codebook import Codebook
from ondevice_db.store.store import SongDatabase

__all__ = ["Beside", "evaluate_grid", "timestamps"]

_log = logging.getLogger(__name__)
# A matcher, and the search that feeds it.
_MatcherAndSearch = tuple[Literal["published", "ours"], Literal["exact", "pq"]]
_PUBLISHED_EXACT: Final[_MatcherAndSearch] = ("published", "exact")
_SYSTEMS: Final[tuple[_MatcherAndSearch, ...]] = (_PUBLISHED_EXACT, ("published", "pq"), ("ours", "pq"))
_OURS_EXACT: Final[_MatcherAndSearch] = ("ours", "exact")
# Exact search over a million fingerprints takes most of a grid's time.
_BASELINE_SYSTEMS: Final[tuple[_MatcherAndSearch, ...]] = (("published", "pq"), ("ours", "pq"))


@dataclass(frozen=True, slots=True)
class Beside:
    """A larger collection: the corpus, and other music beside it, which is never asked for.

    Attributes
    ----------
    library : Library
    counts : mapping of str to int
        How many songs of which kind.
    """

    library: Library
    counts: Mapping[str, int] = field(default_factory=dict)


def evaluate_grid(
    name: str,
    model: str | Path,
    corpus: Path,
    cache: Path,
    *,
    n_queries: int = 2000,
    seed: int = 1,
    lengths_s: Sequence[float] | None = None,
    codebook: Codebook | None = None,
    exact: bool = False,
    baseline: str | Path | None = None,
    grow: Callable[[EmbeddingCache, Library], Beside] = lambda _, library: Beside(library),
    published_exact_to_s: float = np.inf,
    jobs: int = 1,
) -> dict[str, Any]:
    """Evaluate a model on a published grid; called again after an interruption, go on.

    The music of splits ``train`` and ``dev`` is the collection; queries are cut from ``dev``. Finished cells are kept
    in ``cache/grid``, by the systems, the databases and the queries.

    Parameters
    ----------
    name : str
        Of :data:`~evaluation.retrieval.protocols.GRIDS`.
    model : str or Path
        Fingerprinter.
    corpus, cache : Path
        As for :func:`~evaluation.retrieval.retrieval.evaluate_retrieval`.
    n_queries : int >= 1
        For each cell; equal for all of them.
    seed : int
    lengths_s : sequence of float, optional, seconds
        By default those of the grid that are not much shorter than the model's window.
    codebook : Codebook, optional
        By default the one that ships with the model, as always for the baseline.
    exact : bool
        Also run our matcher over exact search, which takes hours with a tenth of a second between references.
    baseline : str or Path, optional
        Fingerprinter that gets the same queries.
    grow : callable
        Puts other music beside the indexed corpus. Landmarks are then left out: they need its sound.
    published_exact_to_s : float, seconds
        Longest query that the paper's retrieval also searches exhaustively.
    jobs : int >= 1

    Returns
    -------
    dict
        JSON-ready; see :func:`~evaluation.retrieval.grid_report.to_markdown`.

    Raises
    ------
    ConfigError
        When the grid is unknown, or its lengths are all shorter than the model's window.
    """
    if name not in GRIDS:
        message = f"protocol {name!r}: expected one of {', '.join(GRIDS)}"
        raise ConfigError(message)
    grid = GRIDS[name]
    models = [
        EmbeddingCache(one, cache, reference_hop_s=grid.hop_s, query_hop_s=grid.hop_s, jobs=jobs)
        for one in (model, baseline)
        if one is not None
    ]
    embeddings, fingerprinter = models[0], models[0].fingerprinter
    shortest_s = max(one.fingerprinter.shortest_query_s for one in models)
    lengths = [length for length in lengths_s or grid.lengths_s if length >= shortest_s]
    if not lengths:
        message = f"protocol {name}: expected a length of at least the model's {fingerprinter.window_s:g} s"
        raise ConfigError(message)
    _log.info("indexing")
    run, *baselines = (
        _prepare(grid, one, corpus, cache, grow, codebook=chosen, n_queries=n_queries, seed=seed)
        for one, chosen in zip(models, (codebook, None), strict=False)
    )
    landmarks = None
    if not run.beside:
        _log.info("landmarks")
        landmarks = ask_landmarks(run.library, embeddings.folder)
    databases = [_identity(one) for one in (run, *baselines)]
    rows: list[dict[str, Any]] = []
    for table, condition in grid.cells(lengths):
        systems = [*_SYSTEMS, _OURS_EXACT] if exact else list(_SYSTEMS)
        if condition.length_s > published_exact_to_s:
            systems.remove(_PUBLISHED_EXACT)
        cell = {"table": table, "condition": condition.name, **condition.to_dict()}
        question: dict[str, Any] = {"cell": cell, "asked": systems, "databases": databases, "seed": seed}
        if any(overhangs_s := [one.embeddings.first_s(condition) for one in (run, *baselines)]):
            question["overhangs_s"] = overhangs_s
        digest = hashlib.sha256(canonical_json(question).encode()).hexdigest()
        kept = cache / "grid" / f"{digest[:16]}.json"
        if not kept.is_file():
            _log.info("%s", condition.name)
            answers = _answers(run, condition, systems, jobs=jobs)
            for other in baselines:
                found = _answers(other, condition, _BASELINE_SYSTEMS, jobs=jobs)
                answers |= {f"baseline: {system}": answer for system, answer in found.items()}
            if landmarks is not None:
                answers["landmarks"] = landmarks(run.plan, condition, jobs=jobs)
            kept.parent.mkdir(exist_ok=True)
            write_json(kept, {system: _score(run, found, seed) for system, found in answers.items()})
        scores = json.loads(kept.read_text(encoding="utf-8"))
        rows += [{**cell, "system": system, **score} for system, score in scores.items()]
    return {
        "schema": "grid/1",
        "protocol": name,
        "title": grid.title,
        "note": grid.note,
        "model": fingerprinter.name,
        "embedding_space": fingerprinter.embedding_space,
        "baseline": next((one.fingerprinter.name for one in models[1:]), None),
        "window_s": fingerprinter.window_s,
        "hop_s": grid.hop_s,
        "overhangs_s": [
            {f"{length_s:g}": one.overhang.seconds_for(length_s) for length_s in lengths} for one in models
        ],
        "n_songs": int(run.library.song_starts.size - 1),
        "beside": dict(run.beside),
        "n_fingerprints": int(run.library.song_starts[-1]),
        "n_queries": n_queries,
        "n_tracks": len(set(run.tracks)),
        "seed": seed,
        "rows": rows,
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """A collection, its queries, and how the answers are counted."""

    grid: Grid
    embeddings: EmbeddingCache
    library: Library
    beside: Mapping[str, int]
    plan: Plan
    truth: NDArray[np.int64]
    tracks: list[str]


def _prepare(
    grid: Grid,
    embeddings: EmbeddingCache,
    corpus: Path,
    cache: Path,
    grow: Callable[[EmbeddingCache, Library], Beside],
    *,
    codebook: Codebook | None,
    n_queries: int,
    seed: int,
) -> _Run:
    grown = grow(embeddings, index_corpus(corpus, embeddings, cache, codebook))
    library = grown.library
    kinds = {condition.room for columns in grid.tables.values() for condition in columns}
    plan = plan_known(corpus, cache, kinds, n_queries=n_queries, seed=seed)
    truth = np.array([library.songs[query.path] for query in plan.queries])
    tracks = [str(query.path) for query in plan.queries]
    return _Run(grid, embeddings, library, grown.counts, plan, truth, tracks)


def _identity(run: _Run) -> dict[str, str]:
    """Return the identity of a collection and its queries."""
    queries = [[str(query.path), query.start_s] for query in run.plan.queries]
    return {
        "space": run.embeddings.fingerprinter.embedding_space,
        "codes": SongDatabase.open(run.library.database).manifest.files["codes"]["sha256"],
        "queries": hashlib.sha256(canonical_json(queries).encode()).hexdigest(),
    }


def _answers(run: _Run, condition: Condition, systems: Sequence[_MatcherAndSearch], *, jobs: int) -> dict[str, Answers]:
    queries, first_s = run.embeddings.queries(run.plan, condition), run.embeddings.first_s(condition)
    whole = run.embeddings.without_overhang().queries(run.plan, condition)
    answers = {}
    for matcher, search in systems:
        system = System(library=run.library, search=search, hop_s=run.grid.hop_s)
        if matcher == "ours":
            answers[f"ours, {search}"] = ask_matcher(system, queries, first_s=first_s, jobs=jobs)
        else:
            answers[f"{run.grid.retrieval}, {search}"] = ask_published(system, whole, run.grid.retrieval, jobs=jobs)
    return answers


def _score(run: _Run, answers: Answers, seed: int) -> dict[str, Any]:
    groups = np.append(run.library.groups, -1)
    right = (answers.songs >= 0) & (groups[answers.songs] == run.library.groups[run.truth])
    starts_s = np.array([query.start_s for query in run.plan.queries])
    error_s = np.where(answers.songs == run.truth, np.abs(answers.offsets_s - starts_s), np.inf)
    hop_s, rng = run.grid.hop_s, np.random.default_rng([seed, 99])
    return {
        "song": rate_by_track(right, run.tracks, rng),
        # The nearest reference, and that or a neighbour.
        "segment": rate_by_track(error_s <= hop_s / 2 + 1e-9, run.tracks, rng),
        "segment_near": rate_by_track(error_s <= 1.5 * hop_s + 1e-9, run.tracks, rng),
        "timestamps": timestamps(error_s[answers.songs == run.truth], hop_s),
    }


def timestamps(error_s: NDArray[np.float64], hop_s: float) -> dict[str, Any]:
    """Return how many of the correct answers are within half a hop of the true time, and the median error.

    It is None where most correct answers have no position: a majority may name a song in which no sequence is found.

    Parameters
    ----------
    error_s : ndarray of float64, shape (n,), seconds
        Of the answers that name the correct song; infinite for those without a position.
    hop_s : float, seconds
    """
    n, count = int(error_s.size), int((error_s <= hop_s / 2 + 1e-9).sum())
    median = float(np.median(error_s)) if n else np.inf
    median_s = median if np.isfinite(median) else None
    return {"n": n, "count": count, "rate": count / max(n, 1), "wilson": wilson(count, n).bounds, "median_s": median_s}
