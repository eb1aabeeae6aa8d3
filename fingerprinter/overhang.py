"""Windows of a short query that reach beyond its ends, as far as a model's manifest says, silent there.

A query of one second has room for one window of 0.96 s, which may lie half a hop away from the nearest reference.
Windows that begin before the query or end after it lie nearer to one, and cost less than longer sound would. A long
query has windows enough without. References never overhang.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_between, require_positive

__all__ = ["NO_OVERHANG", "OVERHANG_ENTRIES", "QueryOverhang"]

_MOST_OF_A_WINDOW = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryOverhang:
    """By how much windows reach beyond a query's ends, and beyond those of which queries.

    Attributes
    ----------
    query_overhang_s : float >= 0, seconds
        The first window begins so much before the query, and the last one ends at most so much after it.
    query_overhang_below_s : float > 0, seconds
        A query of this length or more has no overhang.
    """

    query_overhang_s: float = 0.0
    query_overhang_below_s: float = math.inf

    def __post_init__(self) -> None:
        require_between(self, 0, 60, "query_overhang_s")
        require_positive(self, "query_overhang_below_s")

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], window_s: float) -> "QueryOverhang":
        """Read a fingerprinter's manifest; one without the entries has no overhang.

        Parameters
        ----------
        manifest : mapping
            ``query_overhang_s``, by default 0, and ``query_overhang_below_s``, by default for queries of every length.
        window_s : float > 0, seconds
            That one fingerprint covers; at most half of it may lie beyond the query.

        Raises
        ------
        ConfigError
            When an entry is no number or out of range.
        """
        given = {name: manifest[name] for name in cls.__dataclass_fields__ if name in manifest}
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                message = f"{name}: expected seconds, found {value!r}"
                raise ConfigError(message)
        found = cls(**given)
        require_between(found, 0, _MOST_OF_A_WINDOW * window_s, "query_overhang_s")
        return found

    def seconds_for(self, query_s: float) -> float:
        """Return the overhang at each end of a query of so many seconds."""
        return self.query_overhang_s if query_s < self.query_overhang_below_s else 0.0


NO_OVERHANG = QueryOverhang()
OVERHANG_ENTRIES = tuple(QueryOverhang.__dataclass_fields__)  # of a manifest, and of training's settings
