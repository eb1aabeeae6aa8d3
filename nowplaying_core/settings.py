"""Settings from TOML: files that build on others, tables into frozen objects; unknown keys are errors."""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Self, get_args

from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError, unreadable

__all__ = [
    "RunSettings",
    "construct",
    "init_run_dir",
    "merged",
    "read_settings",
    "require_between",
    "require_counts",
    "require_not_negative",
    "require_positive",
]


class RunSettings:
    """The settings of one run, as TOML that a person writes and as JSON that the run records; a frozen dataclass."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build settings from plain values, as :meth:`to_dict` gives them; what is missing takes its default.

        Raises
        ------
        ConfigError, ValueError, TypeError
            When a setting is unknown or wrong.
        """
        settings: Self = construct(cls, values)
        return settings

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the run's record."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file; one with a ``base`` holds the changes to the file of that name in the same folder.

        Raises
        ------
        ConfigError
            When the file is missing, is not TOML, or holds an unknown or wrong setting; names the file.
        """
        return cls._read(path, read_settings, "these settings cannot be used")

    @classmethod
    def from_json(cls, path: Path) -> Self:
        """Read the ``config.json`` of a run; errors as in :meth:`read`."""
        return cls._read(
            path,
            lambda file: json.loads(file.read_text(encoding="utf-8")),
            "expected the settings of a run; name the folder that its training wrote",
        )

    @classmethod
    def _read(cls, path: Path, values: Callable[[Path], dict[str, Any]], complaint: str) -> Self:
        try:
            return cls.from_dict(values(path))
        except (OSError, ValueError, TypeError) as error:
            message = f"{path}: {complaint}"
            raise unreadable(message, error) from error


def init_run_dir(settings: RunSettings, run_dir: Path) -> None:
    """Make a run's folder and record its settings there, so that a stopped run continues with the same settings.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / "config.json"
    if path.exists() and type(settings).from_json(path) != settings:
        message = f"{path}: this folder holds a run of other settings; choose another run folder"
        raise ConfigError(message)
    write_json(path, settings.to_dict())


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return settings with changes, table by table."""
    result = dict(base)
    for name, value in changes.items():
        result[name] = merged(result.get(name, {}), value) if isinstance(value, dict) else value
    return result


def read_settings(path: Path, read: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the settings of a file on top of those of its base; OSError or ValueError where one cannot be read."""
    if path in read:
        message = f"its base leads back to {path.name}"
        raise ConfigError(message)
    changes = tomllib.loads(path.read_text(encoding="utf-8"))
    base = changes.pop("base", None)
    return changes if base is None else merged(read_settings(path.parent / str(base), (*read, path)), changes)


def construct(kind: Any, values: dict[str, Any]) -> Any:
    """Build a dataclass from plain values: lists as tuples, tables as dataclasses on top of their field's default.

    Raises
    ------
    ConfigError
        When a setting is unknown, or no number or no table where one is expected.
    """
    known = {item.name: item for item in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        message = f"unknown settings {unknown}: expected some of {sorted(known)}"
        raise ConfigError(message)
    return kind(**{name: _typed(known[name], value) for name, value in values.items()})


def _typed(item: "Field[Any]", value: Any) -> Any:
    """Return a plain value as its field takes it."""
    if is_dataclass(item.type):
        if not isinstance(value, dict):
            message = f"{item.name}: expected a table, found {value!r}"
            raise ConfigError(message)
        default = {} if item.default_factory is MISSING else asdict(item.default_factory())
        return construct(item.type, {**default, **value})
    if isinstance(value, list):
        return tuple(value)
    kinds = get_args(item.type) if isinstance(item.type, UnionType) else (item.type,)
    number = next((kind for kind in (float, int) if kind in kinds), None)
    if number is None or (value is None and NoneType in kinds):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, number)):
        message = f"{item.name} must be a number of type {number.__name__}, found {value!r}"
        raise ConfigError(message)
    return number(value)


def require_positive(settings: object, *names: str, table: str = "") -> None:
    """Check numbers of an object; ConfigError names the table and the first that is not above 0."""
    _require(settings, names, table, lambda value: value > 0, "must be positive")


def require_counts(settings: object, *names: str, table: str = "") -> None:
    """Check whole numbers from 1 on, or tuples of one or more, of an object; ConfigError as above."""

    def counts(value: Any) -> bool:
        numbers = value if isinstance(value, tuple) else (value,)
        return bool(numbers) and all(number >= 1 and number % 1 == 0 for number in numbers)

    _require(settings, names, table, counts, "must be positive and whole")


def require_not_negative(settings: object, *names: str, table: str = "") -> None:
    """Check numbers of an object; ConfigError names the table and the first that is below 0."""
    _require(settings, names, table, lambda value: value >= 0, "must not be negative")


def require_between(settings: object, low: float, high: float, *names: str, table: str = "") -> None:
    """Check numbers of an object; ConfigError names the table and the first that lies outside [low, high]."""
    _require(settings, names, table, lambda value: low <= value <= high, f"must lie in [{low:g}, {high:g}]")


def _require(settings: object, names: Sequence[str], table: str, holds: Callable[[Any], bool], what: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not holds(value):
            where = f"{table}: {name}" if table else name
            message = f"{where} {what}, found {value}"
            raise ConfigError(message)
