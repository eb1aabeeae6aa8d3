"""Rank-1 at five lengths of query, easy and hard: the comparison of variants of a model or of a database."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import index_corpus, plan_known
from evaluation.retrieval.matching import System, match_all
from ondevice_db.index.codebook import Codebook

__all__ = ["COLUMNS", "LENGTHS_S", "counted", "rank1_by_length", "right_by_length"]

LENGTHS_S: Final = (1.0, 2.0, 3.0, 5.0, 8.0)
COLUMNS: Final = tuple(
    Condition(length_s=length_s, snr_db=base.snr_db, room=base.room)
    for base in (Condition(snr_db=5.0), Condition(snr_db=0.0, room="simulated"))
    for length_s in LENGTHS_S
)


def right_by_length(
    embeddings: EmbeddingCache,
    corpus: Path,
    cache: Path,
    *,
    codebook: Codebook | None = None,
    n_queries: int = 600,
    lengths_s: Sequence[float] = LENGTHS_S,
    seed: int = 1,
    jobs: int = 1,
) -> tuple[dict[str, NDArray[np.bool_]], list[str]]:
    """Tell for each query whether the correct song comes first, through codes, Annoy and mu-law.

    Parameters
    ----------
    embeddings : EmbeddingCache
        Of the model, with the hops of database and query.
    corpus, cache : Path
        As for :func:`~evaluation.retrieval.retrieval.evaluate_retrieval`.
    codebook : Codebook, optional
        By default the one that ships with the model.
    n_queries : int >= 1
        The same excerpts for every condition, model and database.
    lengths_s : sequence of float, seconds
        Of :data:`LENGTHS_S`.
    seed : int
    jobs : int >= 1

    Returns
    -------
    right : dict of str to ndarray of bool, shape (n_queries,)
        By the condition's name; lengths below the model's window are left out.
    tracks : list of str, length n_queries
        Recording that each query is cut from.
    """
    library = index_corpus(corpus, embeddings, cache, codebook)
    kinds = {condition.room for condition in COLUMNS}
    plan = plan_known(corpus, cache, kinds, n_queries=n_queries, seed=seed)
    true_songs = np.array([library.songs[query.path] for query in plan.queries])
    system = System(library=library, hop_s=embeddings.query_hop_s)
    right = {}
    for condition in COLUMNS:
        if condition.length_s in lengths_s and condition.length_s >= embeddings.fingerprinter.shortest_query_s:
            queries, first_s = embeddings.queries(plan, condition), embeddings.first_s(condition)
            outcomes = match_all(system, queries, first_s=first_s, jobs=jobs)
            right[condition.name] = outcomes.correct(library, true_songs)
    return right, [str(query.path) for query in plan.queries]


def rank1_by_length(*args: Any, **options: Any) -> dict[str, dict[str, int]]:
    """Return ``{"n", "count"}`` for each condition's name; takes what :func:`right_by_length` takes."""
    return counted(right_by_length(*args, **options)[0])


def counted(right: Mapping[str, NDArray[np.bool_]]) -> dict[str, dict[str, int]]:
    """Return ``{"n", "count"}`` of the right answers for each condition's name."""
    return {name: {"n": int(one.size), "count": int(one.sum())} for name, one in right.items()}
