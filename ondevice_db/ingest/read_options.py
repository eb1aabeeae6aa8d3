"""Which recordings a run takes into a database."""

import math
from dataclasses import dataclass

__all__ = ["ReadOptions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """How files are read for a database.

    Attributes
    ----------
    lenient : bool
        Index what can be read of truncated and damaged files, in place of refusing them.
    min_s : float >= 0, seconds, optional
        Shorter recordings are refused; None stands for one window of the fingerprinter.
    max_s : float > 0, seconds
        Longer recordings are refused as soon as so much is decoded.
    """

    lenient: bool = False
    min_s: float | None = None
    max_s: float = math.inf
