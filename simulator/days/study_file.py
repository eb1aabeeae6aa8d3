"""A study of one's own in TOML: figures that differ, a kind of day, scenes, and sweeps; ``template.toml`` shows all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nowplaying_core.errors import ConfigError
from simulator.days.figures import figure_of
from simulator.days.scenes import DayScene, Scenario, scenario_from, scene_from
from simulator.energy.constants import read_toml

if TYPE_CHECKING:
    from simulator.days.study import Study

__all__ = ["TEMPLATE", "OwnSweep", "StudyFile"]

_SCHEMA_VERSION = 1
_MOST_VALUES = 20
TEMPLATE = Path(__file__).resolve().parent / "template.toml"
"""A study file with everything that one may hold, and comments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSweep:
    """A table to make: names of two figures with their values, and the key of what is shown."""

    title: str
    rows: tuple[str, Sequence[float]]
    columns: tuple[str, Sequence[float]]
    shown: str

    def check(self, study: "Study") -> None:
        """Refuse figures or values that this study cannot have, before days are simulated."""
        for name, values in (self.rows, self.columns):
            for value in values:
                study.with_value(name, value)


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFile:
    """The contents of a study file: all but one of them may be left out."""

    figures: Mapping[str, float]
    scenario: Scenario | None
    sweeps: Sequence[OwnSweep]

    @classmethod
    def read(cls, path: Path) -> "StudyFile":
        """Read a study file.

        Raises
        ------
        ConfigError
            When it cannot be read, a key is unknown, or a value cannot be; names the file.
        """
        table = read_toml(path, "a study")
        known = {"schema_version", "set", "day", "scene", "sweep"}
        if not set(table) <= known or table.get("schema_version") != _SCHEMA_VERSION:
            message = f"{path}: expected schema_version {_SCHEMA_VERSION} and some of {sorted(known)}, "
            raise ConfigError(message + f"found {sorted(table)}; nowplaying energy --write-template shows all")
        own, day, sweeps = table.get("scene", {}), table.get("day"), table.get("sweep", [])
        if not isinstance(own, Mapping) or not isinstance(day, Mapping | None) or not isinstance(sweeps, list):
            message = f"{path}: expected tables [scene.NAME], [day] and [[sweep]], found "
            raise ConfigError(message + repr({key: table[key] for key in ("scene", "day", "sweep") if key in table}))
        figures = _checked(f"{path}: set", table.get("set", {}))
        names = {one.name for one in fields(DayScene)} - {"name"}
        scenes = {name: scene_from(f"{path}: scene {name!r}", name, entries, names) for name, entries in own.items()}
        if day is None and scenes:
            message = f"{path}: scenes of one's own need a [day] that visits them"
            raise ConfigError(message)
        scenario = None if day is None else scenario_from(f"{path}: day", path.stem, {"share": 1.0, **day}, scenes)
        return cls(figures=figures, scenario=scenario, sweeps=[_sweep(path, one) for one in sweeps])


def _checked(where: str, values: Any) -> dict[str, float]:
    if not isinstance(values, Mapping):
        message = f"{where}: expected names with numbers, found {values!r}"
        raise ConfigError(message)
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            message = f"{where}: expected a number for {name!r}, found {value!r}"
            raise ConfigError(message)
        figure_of(name).check(f"{where}: {name}", value)
    return {name: float(value) for name, value in values.items()}


def _sweep(path: Path, entry: Any) -> OwnSweep:
    where = f"{path}: sweep"
    keys = {"title", "rows", "row_values", "columns", "column_values", "show"}
    if not isinstance(entry, Mapping) or set(entry) != keys:
        message = f"{where}: expected {sorted(keys)}, found {entry!r}"
        raise ConfigError(message)
    if not isinstance(entry["rows"], str) or not isinstance(entry["columns"], str):
        message = f"{where} {entry['title']!r}: expected names of figures for rows and columns, found {entry!r}"
        raise ConfigError(message)
    for values in (entry["row_values"], entry["column_values"]):
        if not isinstance(values, list) or not 1 <= len(values) <= _MOST_VALUES:
            message = f"{where} {entry['title']!r}: expected 1 to {_MOST_VALUES} values, found {values!r}"
            raise ConfigError(message)
    rows, columns = (
        [_checked(where, {entry[name]: value})[entry[name]] for value in entry[f"{name.rstrip('s')}_values"]]
        for name in ("rows", "columns")
    )
    return OwnSweep(
        title=str(entry["title"]),
        rows=(entry["rows"], rows),
        columns=(entry["columns"], columns),
        shown=str(entry["show"]),
    )
