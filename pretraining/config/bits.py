"""The settings of learned bits; readable without Keras."""

from dataclasses import dataclass

from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_counts, require_not_negative

__all__ = ["BitConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BitConfig:
    """A head on frozen fingerprints.

    Attributes
    ----------
    fingerprinter : str
        Shipped name, or a model's folder.
    dim : int
        Of its vectors.
    n_bits : int
        Of a code, a multiple of 8; 112 are as many as the database's twelve bytes and the two of a code's cell.
    n_pairs : int
        Pairs of a clean and a degraded fingerprint to learn from, made once and kept in the cache.
    n_tables, table_bits : int
        The first bits are those of so many tables of buckets, one after the other; each table's find by themselves.
    finding, agreement, balance : float >= 0
        Weights of the terms that make them do so, that let a degraded copy have its original's bits, and that let each
        bit be set as often as not.
    """

    fingerprinter: str = SHIPPED_FINGERPRINTER
    dim: int = 96
    n_bits: int = 112
    n_pairs: int = 20_000
    n_tables: int = 1
    table_bits: int = 16
    finding: float = 1.0
    agreement: float = 0.5
    balance: float = 1.0

    def __post_init__(self) -> None:
        require_counts(self, "dim", "n_bits", "n_tables", "table_bits", table="bits")
        require_not_negative(self, "finding", "agreement", "balance", table="bits")
        if self.n_bits % 8 or self.n_pairs < 2:
            message = f"bits: expected n_bits in eights and n_pairs from 2 on, found {self.n_bits}, {self.n_pairs}"
            raise ConfigError(message)
        if self.n_tables * self.table_bits > self.n_bits:
            message = f"bits: expected tables within the {self.n_bits} bits, found {self.n_tables} of {self.table_bits}"
            raise ConfigError(message)
