"""Search through signs: buckets of equal bits, visited in the order of how likely they hold what is sought.

A stored fingerprint is its bits. Some of them, table by table, are the number of its bucket (Norouzi et al. 2012, "Fast
search in Hamming space with multi-index hashing"). How far a query is from each border says how likely its clean
original lies in a bucket (as in Lv et al. 2007, "Multi-probe LSH"); buckets come in the order of that probability over
how many they hold, and what they hold is compared, as floats, with what its bits stand for. The index answers as
:class:`~ondevice_db.index.pq.PqIndex` does, so that the matcher above both is the same.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from ondevice_db.index.base import Neighbors, SearchOptions, top_k
from ondevice_db.index.normalize import l2_normalize

__all__ = ["BinaryCode", "BinaryIndex"]

_MOST_TABLE_BITS = 20


@dataclass(frozen=True, slots=True)
class BinaryCode:
    """Signs along directions, and what they stand for.

    Attributes
    ----------
    directions : ndarray of float32, shape (dim, n_bits)
    offsets : ndarray of float32, shape (n_bits,)
        Added before the sign is taken.
    meanings : ndarray of float32, shape (n_bits, dim)
        The sum of those that are set less those that are not points where the vector did.
    steepness : float > 0
        Times a query's distance from a border, the log odds that its clean original is on the same side.
    """

    directions: NDArray[np.float32]
    offsets: NDArray[np.float32]
    meanings: NDArray[np.float32]
    steepness: float = 10.0

    def __post_init__(self) -> None:
        dim, n_bits = self.directions.shape
        if self.offsets.shape != (n_bits,) or self.meanings.shape != (n_bits, dim) or n_bits % 8:
            message = (
                f"binary code: expected (dim, n_bits), (n_bits,) and (n_bits, dim) with whole bytes, found "
                f"{self.directions.shape}, {self.offsets.shape} and {self.meanings.shape}"
            )
            raise ConfigError(message)

    @classmethod
    def of_signs(cls, dim: int) -> "BinaryCode":
        """Return the code that nobody trained: the signs of the numbers themselves."""
        one = np.eye(dim, dtype=np.float32)
        return cls(one, np.zeros(dim, np.float32), one)

    @property
    def digest(self) -> str:
        """Eight hex digits that tell this code from any other."""
        arrays = (self.directions, self.offsets, self.meanings, np.float64(self.steepness))
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:8]

    @property
    def n_bits(self) -> int:
        """Bits of a code."""
        return int(self.offsets.size)

    def sides(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far vectors are on the positive side of each direction, (n, n_bits)."""
        found: NDArray[np.float32] = vectors @ self.directions + self.offsets
        return found

    def decode(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return unit vectors that stand for packed bits, (n, n_bits / 8) to (n, dim)."""
        signs = 2.0 * np.unpackbits(packed, axis=1).astype(np.float32) - 1.0
        return l2_normalize(signs @ self.meanings)


class BinaryIndex:
    """Packed bits in song order, and tables of buckets over them.

    Parameters
    ----------
    code : BinaryCode
    vectors : ndarray of float32, shape (n, dim)
        Fingerprints in song order; zero rows are silence, which no bucket holds. Only their bits are kept.
    n_tables : int >= 1
    table_bits : int in [1, 20]
        Bits that number a table's buckets; tables take theirs one after the other.
    cohort : ndarray of float32, shape (n, dim)
        Unit vectors that stand for music in general.

    Raises
    ------
    ConfigError
        When the tables ask for more bits than there are.
    """

    def __init__(
        self,
        code: BinaryCode,
        vectors: NDArray[np.float32],
        *,
        n_tables: int,
        table_bits: int,
        cohort: NDArray[np.float32],
    ) -> None:
        if not 1 <= table_bits <= _MOST_TABLE_BITS or n_tables < 1 or n_tables * table_bits > code.n_bits:
            message = (
                f"binary index: expected tables of 1 to {_MOST_TABLE_BITS} bits within the {code.n_bits} there are, "
                f"found {n_tables} of {table_bits}"
            )
            raise ConfigError(message)
        self.code, self._cohort = code, cohort
        self._sounding: NDArray[np.bool_] = np.any(vectors != 0, axis=1)
        bits = code.sides(vectors) > 0
        self._packed = np.packbits(bits, axis=1)
        self._columns = np.arange(n_tables * table_bits).reshape(n_tables, table_bits)
        tables = [self._table(bits, columns) for columns in self._columns]
        self._patterns = [patterns for patterns, _, _ in tables]
        self._sizes = np.concatenate([sizes for _, sizes, _ in tables])
        self._members = np.concatenate([members for _, _, members in tables])
        self._ends = np.cumsum(self._sizes)

    def _table(
        self, bits: NDArray[np.bool_], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
        """Return the bits of each bucket that holds anything, how many it holds, and what, bucket by bucket."""
        sounding = np.flatnonzero(self._sounding)
        numbers = bits[sounding][:, columns] @ (1 << np.arange(columns.size))
        order = np.argsort(numbers, kind="stable")
        buckets, sizes = np.unique(numbers, return_counts=True)
        return (buckets[:, None] >> np.arange(columns.size)) & 1 == 1, sizes, sounding[order]

    @property
    def cohort(self) -> NDArray[np.float32]:
        """Unit vectors that stand for music in general."""
        return self._cohort

    @property
    def bytes_per_fingerprint(self) -> float:
        """Bytes of a code, and of its number in the lists of each table."""
        return self.code.n_bits / 8 + 4.0 * len(self._columns)

    def nearest(self, queries: NDArray[np.float32], n_neighbors: int, options: SearchOptions) -> Neighbors:
        """Return the nearest codes of each query among those in the buckets looked into, by float against decoded bits.

        All queries compare with the union of their buckets, as in the other index.
        """
        found = self.probe(queries, options)
        if found.size == 0:
            nothing = np.full((queries.shape[0], n_neighbors), -1, np.int64)
            return Neighbors(nothing, np.full(nothing.shape, -np.inf, np.float32), 0)
        columns, values = top_k(queries @ self.code.decode(self._packed[found]).T, n_neighbors)
        return Neighbors(np.where(columns >= 0, found[np.maximum(columns, 0)], -1), values, found.size)

    def probe(self, queries: NDArray[np.float32], options: SearchOptions) -> NDArray[np.int64]:
        """Return the fingerprints to compare with these queries.

        Buckets are taken in the order of what a code in them is worth until they hold ``min_scan`` fingerprints, or as
        many as ``n_probe`` says.
        """
        odds = self.code.steepness * self.code.sides(queries)
        parts = [_probability(odds[:, own], bits) for own, bits in zip(self._columns, self._patterns, strict=True)]
        best_first = np.argsort(-np.concatenate(parts) / self._sizes, kind="stable")
        if options.n_probe is not None:
            return np.unique(self._held(best_first[: options.n_probe]))
        held = np.cumsum(self._sizes[best_first])
        wanted = min(options.min_scan, int(self._sounding.sum()))
        n_taken, found = 0, np.zeros(0, np.int64)
        while found.size < wanted:
            # What several tables hold counts once, so that another round may be needed.
            goal = (int(held[n_taken - 1]) if n_taken else 0) + wanted - found.size
            n_more = min(int(np.searchsorted(held, goal)) + 1, held.size)
            found = np.union1d(found, self._held(best_first[n_taken:n_more]))
            n_taken = n_more
        return found

    def _held(self, buckets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what buckets hold, one after the other."""
        ends = self._ends[buckets]
        return np.concatenate(
            [self._members[end - size : end] for end, size in zip(ends, self._sizes[buckets], strict=True)]
        )

    def vectors(self, fingerprints: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what the bits stand for; zero for silence."""
        decoded = self.code.decode(self._packed[fingerprints])
        return np.where(self._sounding[fingerprints][:, None], decoded, np.float32(0))

    def references(self, fingerprints: NDArray[np.int64], song_starts: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002 (the protocol's)
        """Return what the bits stand for."""
        return self.vectors(fingerprints)


def _probability(log_odds: NDArray[np.float32], patterns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many of the queries' originals are to be expected in each bucket, bits taken to be independent.

    Parameters
    ----------
    log_odds : ndarray of float32, shape (n_queries, table_bits)
        That a bit is set.
    patterns : ndarray of bool, shape (n_buckets, table_bits)
    """
    is_set, is_not = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    found: NDArray[np.float64] = np.exp(is_set @ patterns.T + is_not @ ~patterns.T).sum(axis=0, dtype=np.float64)
    return found
