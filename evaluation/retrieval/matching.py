"""Match an evaluation's queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.library import Library, open_exact
from nowplaying_core.processes import share_out
from ondevice_db.index.base import SearchOptions
from ondevice_db.match.evidence import N_FEATURES
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase

__all__ = ["Outcomes", "System", "match_all"]

_CHUNK = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """A database and a way to search it.

    Attributes
    ----------
    library : Library
    search : {"pq", "exact"}
        Through codes and Annoy, or exhaustively through float vectors.
    hop_s : float, seconds
        Between query fingerprints.
    options : SearchOptions
    """

    library: Library
    search: Literal["pq", "exact"] = "pq"
    hop_s: float = 0.5
    options: SearchOptions = field(default_factory=SearchOptions)

    def for_workers(self) -> "System":
        """Return the system as other processes need it: float vectors travel only where they are searched."""
        if self.search == "exact":
            return self
        return replace(self, library=replace(self.library, vectors=self.library.vectors[:0]))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The best match of each query.

    Attributes
    ----------
    songs : ndarray of int64, shape (n,)
        First song; -1 for none.
    offsets_s : ndarray of float64, shape (n,), seconds
    features : ndarray of float64, shape (n, N_FEATURES)
        :meth:`~ondevice_db.match.evidence.Evidence.to_vector`; NaN where there was no candidate.
    """

    songs: NDArray[np.int64]
    offsets_s: NDArray[np.float64]
    features: NDArray[np.float64]

    def correct(self, library: Library, true_songs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each query whether the first song is the same music as the true one."""
        groups = np.append(library.groups, -1)
        same: NDArray[np.bool_] = groups[self.songs] == library.groups[true_songs]
        return same & (self.songs >= 0)


def match_all(
    system: System,
    embeddings: NDArray[np.float32],
    excluded: Sequence[tuple[int, ...]] | None = None,
    *,
    first_s: float = 0.0,
    jobs: int = 1,
) -> Outcomes:
    """Match queries.

    Parameters
    ----------
    system : System
    embeddings : ndarray of float32, shape (n_queries, n_fingerprints, dim)
    excluded : sequence of tuple of int, length n_queries, optional
        Songs masked for each query.
    first_s : float, seconds
        Where the first row of each query begins.
    jobs : int >= 1
    """
    hidden = excluded if excluded is not None else [()] * len(embeddings)
    starts = range(0, len(embeddings), _CHUNK)
    items = [(embeddings[start : start + _CHUNK], hidden[start : start + _CHUNK], first_s) for start in starts]
    rows = [row for part in share_out(_match_chunk, items, _open, system.for_workers(), jobs=jobs) for row in part]
    columns = list(zip(*rows, strict=True))
    return Outcomes(
        np.array(columns[0], np.int64),
        np.array(columns[1], np.float64),
        np.stack(columns[2]),
    )


def _open(system: System) -> tuple[System, Matcher]:
    path: Path = system.library.database
    index = open_exact(system.library) if system.search == "exact" else None
    return system, Matcher(SongDatabase.open(path), index=index)


def _match_chunk(
    state: tuple[System, Matcher], item: tuple[NDArray[np.float32], Sequence[tuple[int, ...]], float]
) -> list[tuple[Any, ...]]:
    system, matcher = state
    rows: list[tuple[Any, ...]] = []
    queries, masks, first_s = item
    for query, hidden in zip(queries, masks, strict=True):
        options = replace(system.options, excluded_songs=hidden)
        match = matcher.match(query, system.hop_s, options, first_s=first_s)
        if match.evidence is None:
            rows.append((-1, np.nan, np.full(N_FEATURES, np.nan)))
            continue
        first = match.candidates[0]
        rows.append((first.song_index, first.offset_s, match.evidence.to_vector()))
    return rows
