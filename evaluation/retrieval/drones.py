"""Synthetic drones, of all sounds the most alike: some in the index beside the corpus, and others that are asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.training.instruments import drone
from evaluation.retrieval.conditions import LONGEST_S
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.library import Library, grow_library
from evaluation.retrieval.matching import Outcomes, System, match_all
from nowplaying_core.audio import SAMPLE_RATE_HZ
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.index.pq import PqIndex
from ondevice_db.store.store import SongDatabase

__all__ = ["FITTED_SEED", "JUDGED_SEED", "Drones", "synthetic_drone"]

JUDGED_SEED: Final = 101  # of the drones that acceptance is judged by
FITTED_SEED: Final = 202  # of those that it is fitted to
_INDEXED_S: Final = 50.0


@dataclass(frozen=True, slots=True)
class Drones:
    """A corpus among synthetic drones.

    Attributes
    ----------
    library : Library
        The corpus, with drones number 0 to ``n_indexed - 1`` behind it.
    embeddings : EmbeddingCache
    n_indexed : int >= 1
    seed : int
    """

    library: Library
    embeddings: EmbeddingCache
    n_indexed: int
    seed: int

    @classmethod
    def among(
        cls, library: Library, embeddings: EmbeddingCache, database: Path, *, n_indexed: int, seed: int
    ) -> "Drones":
        """Index drones beside a corpus, in a database of their own with the same codes."""
        fingerprinter, hop_s = embeddings.fingerprinter, embeddings.reference_hop_s
        extra = [fingerprinter.embed(synthetic_drone(_INDEXED_S, number, seed), hop_s) for number in range(n_indexed)]
        index = SongDatabase.open(library.database).index
        codebook = index.codebook if isinstance(index, PqIndex) else load_codebook(fingerprinter.folder.path)
        return cls(grow_library(library, extra, 0, database, codebook), embeddings, n_indexed, seed)

    def ask(self, n: int, length_s: float = LONGEST_S) -> Outcomes:
        """Match drones that are not in the index, clean: whatever is named is wrong."""
        size, hop_s = round(length_s * SAMPLE_RATE_HZ), self.embeddings.query_hop_s
        drones = (synthetic_drone(LONGEST_S, self.n_indexed + number, self.seed)[:size] for number in range(n))
        queries = [self.embeddings.fingerprinter.embed_query(samples, hop_s) for samples in drones]
        vectors = np.stack([query.vectors for query in queries])
        return match_all(System(library=self.library, hop_s=hop_s), vectors, first_s=queries[0].first_s)


def synthetic_drone(length_s: float, number: int, seed: int = JUDGED_SEED) -> NDArray[np.float32]:
    """Return a drone of its own for each number, float32 in [-0.5, 0.5], 16 kHz."""
    time_s = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    samples = drone(time_s, np.random.default_rng([seed, number]))
    return np.asarray(0.5 * samples / np.abs(samples).max(), np.float32)
