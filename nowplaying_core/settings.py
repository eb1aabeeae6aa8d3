"""Settings from TOML: files that build on others, tables into frozen objects; unknown keys are errors."""

import json
import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Self, get_args, get_origin

from nowplaying_core.artifacts import sha256_file, write_json
from nowplaying_core.errors import ConfigError, MissingPathError, unreadable

__all__ = [
    "GREATEST_SEED",
    "RunSettings",
    "check_given",
    "construct",
    "init_run_dir",
    "merged",
    "read_settings",
    "recorded_given",
    "require_between",
    "require_counts",
    "require_given",
    "require_not_negative",
    "require_positive",
    "require_seed",
    "weights_id",
]

GREATEST_SEED: Final = 2**32 - 1
"""That Keras and NumPy take."""

_GIVEN_NAME: Final = "init.json"


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
        return cls._read(path, _tables, "these settings cannot be used")

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


def check_given(run_dir: Path, given: dict[str, Any], *, begun: bool) -> None:
    """Record what a run is given beside its settings, so that a stopped run continues with the same.

    Parameters
    ----------
    run_dir : Path
        Receives ``init.json``.
    given : dict of str to str, int or None
        Numbers of recordings, and what tells one model from another; None for what is not given.
    begun : bool
        Whether the run has learned anything; before, it may be given something else.

    Raises
    ------
    ConfigError
        When the run was given something else; what an older record does not name may be anything.
    """
    if begun:
        require_given(run_dir, {**dict.fromkeys(recorded_given(run_dir)), **given})
    write_json(run_dir / _GIVEN_NAME, given)


def require_given(run_dir: Path, given: dict[str, Any]) -> None:
    """Refuse what differs from what a run was given, as far as its record names it.

    Raises
    ------
    ConfigError
    """
    recorded = recorded_given(run_dir)
    for name, value in given.items():
        if name in recorded and recorded[name] != value:
            message = f"{run_dir}: this run was given {name}: {_or_none(recorded[name])}, not {_or_none(value)}; "
            raise ConfigError(message + "give it the same, or choose another run folder")


def recorded_given(run_dir: Path) -> dict[str, Any]:
    """Return what :func:`check_given` recorded of a run; empty where it recorded nothing."""
    path = run_dir / _GIVEN_NAME
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return recorded


def weights_id(path: Path | None) -> str | None:
    """Return 16 hex digits of the SHA-256 of weights that a run is given, for its record; None for none.

    Raises
    ------
    MissingPathError
        When there is no such file.
    """
    if path is None:
        return None
    if not path.is_file():
        message = f"{path}: expected the weights of a finished run, found none; check the path"
        raise MissingPathError(message)
    return sha256_file(path)[:16]


def _or_none(value: Any) -> str:
    return "none" if value is None else str(value)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return settings with changes, table by table."""
    result = dict(base)
    for name, value in changes.items():
        result[name] = merged(result.get(name, {}), value) if isinstance(value, dict) else value
    return result


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML file on top of those of its base.

    Raises
    ------
    ConfigError
        When it or its base is missing or is not TOML; names the file.
    """
    try:
        return _tables(path)
    except (OSError, ValueError) as error:
        message = f"{path}: expected settings in TOML"
        raise unreadable(message, error) from error


def _tables(path: Path, read: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path in read:
        message = f"its base leads back to {path.name}"
        raise ConfigError(message)
    changes = tomllib.loads(path.read_text(encoding="utf-8"))
    base = changes.pop("base", None)
    return changes if base is None else merged(_tables(path.parent / str(base), (*read, path)), changes)


def construct(kind: Any, values: dict[str, Any]) -> Any:
    """Build a dataclass from plain values: lists as tuples, tables as dataclasses on top of their field's default.

    Raises
    ------
    ConfigError
        When a setting is unknown, or of another type than is expected.
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
    return _plain(item.name, item.type, value)


def _plain(name: str, kind: Any, value: Any) -> Any:
    """Return a value that is no table as a type takes it: a list as a tuple, a whole number as one with a fraction."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if value is None and NoneType in kinds:
        return value
    if get_origin(kind) is tuple:
        return _tuple(name, get_args(kind), value)
    if (number := next((one for one in (float, int) if one in kinds), None)) is not None:
        is_number = isinstance(value, (int, number)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            message = f"{name} must be a number of type {number.__name__}, found {value!r}"
            raise ConfigError(message)
        return number(value)
    for one, what in ((bool, "true or false"), (str, "a text")):
        if one in kinds and not isinstance(value, one):
            message = f"{name} must be {what}, found {value!r}"
            raise ConfigError(message)
    return value


def _tuple(name: str, kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    any_length = len(kinds) == 2 and kinds[1] is Ellipsis
    if not isinstance(value, (list, tuple)) or not (any_length or len(value) == len(kinds)):
        message = f"{name} must be a list{'' if any_length else f' of {len(kinds)}'}, found {value!r}"
        raise ConfigError(message)
    return tuple(_plain(name, kinds[0] if any_length else kinds[place], one) for place, one in enumerate(value))


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


def require_seed(settings: object) -> None:
    """Check an object's ``seed``; ConfigError when no generator takes it."""
    if not 0 <= (seed := settings.seed) <= GREATEST_SEED:  # type: ignore[attr-defined]
        message = f"seed must lie in [0, {GREATEST_SEED}], found {seed}"
        raise ConfigError(message)


def _require(settings: object, names: Sequence[str], table: str, holds: Callable[[Any], bool], what: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not holds(value):
            where = f"{table}: {name}" if table else name
            message = f"{where} {what}, found {value}"
            raise ConfigError(message)
