"""A server's state in one file, so that weights and what they cost never come from different rounds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.artifacts import canonical_json, write_arrays

__all__ = ["read_checkpoint", "write_checkpoint"]

_LISTS = "weights", "momentum"


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state of arrays in ``weights`` and ``momentum`` and of values that JSON knows, whole or not at all."""
    arrays = {f"{name}-{number:04}": array for name in _LISTS for number, array in enumerate(state[name])}
    rest = canonical_json({name: value for name, value in state.items() if name not in _LISTS})
    write_arrays(path, {**arrays, "rest": np.frombuffer(rest.encode(), np.uint8)})


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what :func:`write_checkpoint` wrote."""
    with np.load(path, allow_pickle=False) as saved:
        lists = {name: [saved[key] for key in sorted(saved.files) if key.startswith(f"{name}-")] for name in _LISTS}
        return {**lists, **json.loads(saved["rest"].tobytes().decode())}
