"""Figures with their origin: a value, the range in which the truth may lie, the source, and how sure that is."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from nowplaying_core.errors import ConfigError, unreadable

__all__ = ["CERTAINTIES", "Constant", "read_constant", "read_table", "read_toml"]

CERTAINTIES: Final = {
    "V": "the source's own text was read",
    "R": "read in a public repository: a configuration, device tree or result log",
    "S": "secondary: somebody else's account of the source",
    "M": "from memory of the source, not confirmed",
    "I": "our own arithmetic from other figures",
    "A": "an assumption: nobody published it, or nothing was found",
    "P": "measured by this project; the command is named",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """One figure with its origin.

    Attributes
    ----------
    value, low, high : float
        Best figure, and the range in which the truth may lie; without a stated range all three are equal.
    source : str
        Publication, file, or why it was assumed.
    certainty : str
        A key of ``CERTAINTIES``.
    """

    value: float
    low: float
    high: float
    source: str
    certainty: str

    @property
    def has_range(self) -> bool:
        """Whether the truth may lie elsewhere."""
        return self.low < self.high

    def at(self, value: float) -> "Constant":
        """Return the figure at another value within its range, or with a range that reaches to it."""
        return replace(self, value=value, low=min(self.low, value), high=max(self.high, value))

    def stated(self, value: float) -> "Constant":
        """Return the figure as somebody states it for a study, without a range."""
        source = f"stated with --set in place of {self.value:g} ({self.source})"
        return Constant(value=value, low=value, high=value, source=source, certainty="A")


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        When it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: expected {what} in TOML"
        raise unreadable(message, error) from error


def read_table(where: str, table: Any, names: set[str]) -> dict[str, Constant]:
    """Read a table of constants whose names are given; a missing or an unknown one is an error.

    Parameters
    ----------
    where : str
        File and table, for messages.
    table : Any
        As TOML gave it.
    names : set of str
    """
    if not isinstance(table, Mapping) or set(table) != names:
        found = sorted(table) if isinstance(table, Mapping) else table
        message = f"{where}: expected the figures {sorted(names)}, found {found}"
        raise ConfigError(message)
    return {name: read_constant(f"{where}.{name}", entry) for name, entry in table.items()}


def read_constant(where: str, entry: Any, *, may_be_negative: bool = False) -> Constant:
    """Read ``{ value, low, high, certainty, source }``; the range may be left out.

    Raises
    ------
    ConfigError
        When a figure is no number or out of order, the source is missing, or the certainty is unknown.
    """
    keys = {"value", "low", "high", "source", "certainty"}
    if not isinstance(entry, Mapping) or not set(entry) <= keys or "value" not in entry:
        message = f"{where}: expected {{ value, certainty, source }} and perhaps low and high, found {entry!r}"
        raise ConfigError(message)
    figures = [entry["value"], entry.get("low", entry["value"]), entry.get("high", entry["value"])]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in figures):
        message = f"{where}: expected numbers, found {entry!r}"
        raise ConfigError(message)
    value, low, high = (float(one) for one in figures)
    least = float("-inf") if may_be_negative else 0.0
    if not (least <= low <= value <= high < float("inf")):
        message = f"{where}: expected {'' if may_be_negative else '0 <= '}low <= value <= high, found "
        raise ConfigError(message + f"{low}, {value}, {high}")
    source, certainty = entry.get("source"), entry.get("certainty")
    if not isinstance(source, str) or not source.strip():
        message = f"{where}: a figure without a source; state the publication or why it was assumed"
        raise ConfigError(message)
    if not isinstance(certainty, str) or certainty not in CERTAINTIES:
        message = f"{where}: expected a certainty, one of {', '.join(CERTAINTIES)}, found {certainty!r}"
        raise ConfigError(message)
    return Constant(value=value, low=low, high=high, source=source, certainty=certainty)
