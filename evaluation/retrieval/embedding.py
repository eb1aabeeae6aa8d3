"""Fingerprints of an evaluation's references and queries, computed once and kept in a cache folder.

Recordings are known by path, size and modification time, as decoded audio is: one that was replaced is done again.
"""

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import LONGEST_S, Condition
from evaluation.retrieval.queries import Plan
from fingerprinter.fingerprint import Fingerprinter
from fingerprinter.overhang import NO_OVERHANG, QueryOverhang
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, canonical_json, write_array
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.cache import file_identity, load_cached
from nowplaying_core.audio.mixing import drop_silence
from nowplaying_core.processes import share_out, share_out_by_key
from ondevice_db.levels import SILENCE_DBFS

__all__ = ["EmbeddingCache", "load_long_enough"]

_CHUNK = 32
_VERSION = 3  # changes whenever the same plan gives other samples


class EmbeddingCache:
    """Computes and keeps fingerprints of one model.

    Parameters
    ----------
    model : str or Path
        A shipped name or a model folder.
    cache : Path
        Folder for decoded audio; fingerprints are kept in ``cache/embeddings``.
    reference_hop_s, query_hop_s : float, optional, seconds
        By default the model's.
    jobs : int >= 1
        Processes.
    """

    def __init__(
        self,
        model: str | Path,
        cache: Path,
        *,
        reference_hop_s: float | None = None,
        query_hop_s: float | None = None,
        jobs: int = 1,
    ) -> None:
        self.model = model
        self.fingerprinter = Fingerprinter.from_model(model)
        self.reference_hop_s = reference_hop_s or self.fingerprinter.reference_hop_s
        self.query_hop_s = query_hop_s or self.fingerprinter.query_hop_s
        self.overhang = self.fingerprinter.overhang
        self.folder, self._embeddings = cache, cache / "embeddings"
        self._jobs = jobs

    def shipped(self) -> "EmbeddingCache":
        """Return the shipped fingerprinter's, in the same folder."""
        return EmbeddingCache(SHIPPED_FINGERPRINTER, self.folder, jobs=self._jobs)

    def with_overhang(self, overhang: QueryOverhang) -> "EmbeddingCache":
        """Return the same with another overhang of queries than the model's."""
        other = copy(self)
        other.overhang = overhang
        return other

    def without_overhang(self) -> "EmbeddingCache":
        """Return the same with queries whose windows stay within them, as published protocols have it."""
        return self.with_overhang(NO_OVERHANG)

    def first_s(self, condition: Condition) -> float:
        """Return where the first window of a query begins, in seconds: before the query where windows overhang it."""
        return -self.overhang.seconds_for(condition.length_s)

    def references(self, paths: Sequence[Path]) -> list[NDArray[np.float32]]:
        """Return every recording's fingerprints at the reference hop, each of shape (n, dim); zero for silence."""
        key = {"references": [file_identity(path) for path in paths], "hop_s": self.reference_hop_s}
        counts_file, rows_file = self._file(key, "counts"), self._file(key, "rows")
        if not (counts_file.is_file() and rows_file.is_file()):
            items = [(path, self.reference_hop_s) for path in paths]
            parts = share_out(_embed_file, items, _open, self.model, self.folder, None, jobs=self._jobs)
            write_array(counts_file, np.array([len(part) for part in parts]))
            write_array(rows_file, np.concatenate(parts))
        rows = np.load(rows_file, allow_pickle=False)
        return np.split(rows, np.cumsum(np.load(counts_file, allow_pickle=False))[:-1])

    def queries(self, plan: Plan, condition: Condition) -> NDArray[np.float32]:
        """Return a plan's queries under a condition, shape (n_queries, n_fingerprints, dim)."""
        digests = [hashlib.sha256(noise.tobytes()).hexdigest()[:16] for noise in plan.noises]
        drawn = [{**asdict(query), "path": file_identity(query.path)} for query in plan.queries]
        rooms = {kind: [float(np.abs(room).sum()) for room in found] for kind, found in plan.rooms.items()}
        key = {"queries": drawn, "noises": digests, "rooms": rooms, "condition": condition.to_dict()}
        key["hop_s"] = self.query_hop_s
        if first_s := self.first_s(condition):
            key["first_s"] = first_s
        file = self._file(key, "queries")
        if not file.is_file():
            vectors = share_out_by_key(
                _embed_chunk,
                [str(query.path) for query in plan.queries],
                lambda numbers: (condition, numbers, self.query_hop_s, self.overhang),
                _open,
                self.model,
                self.folder,
                plan,
                n_together=_CHUNK,
                jobs=self._jobs,
            )
            write_array(file, vectors)
        loaded: NDArray[np.float32] = np.load(file, allow_pickle=False)
        return loaded

    def same_sound(self, path: Path, first_s: float, second_s: float, length_s: float) -> float:
        """Return the mean cosine between a recording's clean fingerprints at two places: 1 where it repeats itself."""
        samples = load_long_enough(path, self.folder)
        n = round(length_s * SAMPLE_RATE_HZ)
        parts = (samples[max(0, round(at_s * SAMPLE_RATE_HZ)) :][:n] for at_s in (first_s, second_s))
        first, second = (self.fingerprinter.embed(part, self.query_hop_s) for part in parts)
        n_both = min(len(first), len(second))
        return float(np.mean(np.sum(first[:n_both] * second[:n_both], axis=1)))

    def _file(self, key: dict[str, Any], kind: str) -> Path:
        whole = {**key, "space": self.fingerprinter.embedding_space, "version": _VERSION}
        self._embeddings.mkdir(parents=True, exist_ok=True)
        return self._embeddings / f"{kind}-{hashlib.sha256(canonical_json(whole).encode()).hexdigest()[:24]}.npy"


def load_long_enough(path: Path, cache: Path) -> NDArray[np.float32]:
    """Return a recording's samples; one shorter than the longest query is repeated without its silence."""
    samples = load_cached(path, cache)
    n = round(LONGEST_S * SAMPLE_RATE_HZ)
    return samples if samples.size >= n else np.resize(drop_silence(samples), n)


def _open(model: str | Path, cache: Path, plan: Plan | None) -> tuple[Fingerprinter, Any, Plan | None]:
    load = lru_cache(maxsize=4)(lambda path: load_long_enough(path, cache))
    return Fingerprinter.from_model(model), load, plan


def _embed_file(state: tuple[Fingerprinter, Any, Plan | None], item: tuple[Path, float]) -> NDArray[np.float32]:
    fingerprinter, load, _ = state
    path, hop_s = item
    vectors, levels_dbfs = fingerprinter.embed_with_levels(load(path), hop_s)
    return np.where((levels_dbfs <= SILENCE_DBFS)[:, None], np.float32(0), vectors)


def _embed_chunk(
    state: tuple[Fingerprinter, Any, Plan | None], item: tuple[Condition, list[int], float, QueryOverhang]
) -> NDArray[np.float32]:
    fingerprinter, load, plan = state
    condition, numbers, hop_s, overhang = item
    assert plan is not None  # noqa: S101 (only references are embedded without a plan)
    composed = (compose(plan.queries[n], load(plan.queries[n].path), condition, plan) for n in numbers)
    fingerprinter.overhang = overhang
    return np.stack([fingerprinter.embed_query(samples, hop_s).vectors for samples in composed])
