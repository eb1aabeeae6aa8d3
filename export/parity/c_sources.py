"""Numbers out of exported C sources."""

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError

__all__ = ["array", "number", "operators"]

_ARRAY: Final = r"{name}\[[^\]]*\]\s*=\s*\{{([^}}]*)\}}"


def array(path: Path, name: str) -> NDArray[np.int64]:
    """Return the numbers of an array.

    Raises
    ------
    CorruptArtifactError
        When it is not there; so do the others.
    """
    body = _found(path, _ARRAY.format(name=name), f"an array {name}")
    return np.array([int(word) for word in body.replace("\n", " ").split(",") if word.strip()])


def number(path: Path, name: str) -> int:
    """Return the value of a macro that is a whole number."""
    return int(_found(path, rf"#define {name} (\d+)", f"a number {name}"))


def operators(path: Path) -> set[str]:
    """Return the operations that a model's header asks to be registered."""
    return set(_found(path, r"Operations to register: ([A-Z0-9_, ]+)\.", "a list of operations").split(", "))


def _found(path: Path, pattern: str, what: str) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8"))
    if found is None:
        message = f"{path}: expected {what}; export it again"
        raise CorruptArtifactError(message)
    return found.group(1)
