"""Settings from TOML: files that build on others, tables into frozen objects; unknown keys are errors."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from nowplaying.errors import ConfigError

__all__ = ["construct", "merged", "read_settings"]


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
    """Build an object from plain values, with lists as tuples; ConfigError for an unknown one."""
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        message = f"unknown settings {unknown}: expected some of {sorted(known)}"
        raise ConfigError(message)
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
