"""One question put to several systems: our matcher, the retrieval of a paper, and landmarks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import load_long_enough
from evaluation.retrieval.landmark import LandmarkIndex
from evaluation.retrieval.library import Library, open_exact
from evaluation.retrieval.matching import System, match_all
from evaluation.retrieval.published import Found, diagonal_mean, majority_sequence
from evaluation.retrieval.queries import Plan
from nowplaying_core.processes import share_out, share_out_by_key
from ondevice_db.index.base import FingerprintIndex
from ondevice_db.store.store import SongDatabase

__all__ = ["Answers", "LandmarkAnswerer", "ask_landmarks", "ask_matcher", "ask_published"]

_CHUNK = 50
_N_DIAGONAL = 20  # nearest references of each query fingerprint that may begin a sequence, as published

LandmarkAnswerer = Callable[..., "Answers"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a system says of each query.

    Attributes
    ----------
    songs : ndarray of int64, shape (n,)
        -1 for none.
    offsets_s : ndarray of float64, shape (n,), seconds
        Where in the song the query begins; infinite where a system has a song and no place.
    """

    songs: NDArray[np.int64]
    offsets_s: NDArray[np.float64]


def ask_matcher(system: System, queries: NDArray[np.float32], *, first_s: float = 0.0, jobs: int = 1) -> Answers:
    """Ask our matcher; ``queries`` is of shape (n, n_fingerprints, dim), with the first row of each at ``first_s``."""
    outcomes = match_all(system, queries, first_s=first_s, jobs=jobs)
    return Answers(outcomes.songs, np.where(outcomes.songs < 0, np.inf, outcomes.offsets_s))


def ask_published(
    system: System, queries: NDArray[np.float32], retrieval: Literal["majority", "diagonal"], *, jobs: int = 1
) -> Answers:
    """Ask a paper's retrieval, over the same index."""
    items = [(queries[start : start + _CHUNK], retrieval) for start in range(0, len(queries), _CHUNK)]
    found = [one for part in share_out(_retrieve, items, _open_index, system.for_workers(), jobs=jobs) for one in part]
    places = np.array([one.place for one in found], np.float64)
    return Answers(np.array([one.song for one in found], np.int64), np.where(places < 0, np.inf, places * system.hop_s))


def ask_landmarks(library: Library, cache: Path) -> LandmarkAnswerer:
    """Index a collection's landmarks and return what answers ``(plan, condition, jobs=...)``."""
    by_song = {song: path for path, song in library.songs.items()}
    index = LandmarkIndex([load_long_enough(by_song[song], cache) for song in range(library.song_starts.size - 1)])

    def ask(plan: Plan, condition: Condition, *, jobs: int = 1) -> Answers:
        found = share_out_by_key(
            _listen,
            [str(query.path) for query in plan.queries],
            lambda numbers: (condition, numbers),
            _open_landmarks,
            index,
            plan,
            cache,
            n_together=_CHUNK,
            jobs=jobs,
        )
        return Answers(found[:, 0].astype(np.int64), found[:, 1])

    return ask


def _open_index(system: System) -> tuple[System, SongDatabase, FingerprintIndex]:
    database = SongDatabase.open(system.library.database)
    return system, database, open_exact(system.library) if system.search == "exact" else database.index


def _retrieve(
    state: tuple[System, SongDatabase, FingerprintIndex], item: tuple[NDArray[np.float32], str]
) -> list[Found]:
    system, database, index = state
    queries, retrieval = item
    neighbors = _neighbors(system, index, queries, 1 if retrieval == "majority" else _N_DIAGONAL)
    if retrieval == "majority":
        return [majority_sequence(nearest[:, 0], database.song_starts) for nearest in neighbors]
    return [
        diagonal_mean(query, nearest, index.vectors, database.song_starts)
        for query, nearest in zip(queries, neighbors, strict=True)
    ]


def _neighbors(system: System, index: FingerprintIndex, queries: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the nearest references of every query's fingerprints, shape (n_queries, n_fingerprints, n)."""
    if system.search == "exact":
        # All queries in one product: a large library is read once for them.
        found = index.nearest(queries.reshape(-1, queries.shape[-1]), n, system.options).fingerprints
        return found.reshape(*queries.shape[:2], n)
    # Codes are searched in the cells that the fingerprints of one query want.
    return np.stack([index.nearest(query, n, system.options).fingerprints for query in queries])


def _open_landmarks(index: LandmarkIndex, plan: Plan, cache: Path) -> tuple[LandmarkIndex, Plan, Any]:
    return index, plan, lru_cache(maxsize=4)(lambda path: load_long_enough(path, cache))


def _listen(state: tuple[LandmarkIndex, Plan, Any], item: tuple[Condition, list[int]]) -> NDArray[np.float64]:
    index, plan, load = state
    condition, numbers = item
    answers = []
    for number in numbers:
        query = plan.queries[number]
        song, offset_s, _ = index.match(compose(query, load(query.path), condition, plan))
        answers.append((song, offset_s if song >= 0 else np.inf))
    return np.array(answers, np.float64)
