"""Results that the repository keeps, read once for its pages."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["ROOT", "committed"]

ROOT: Final = Path(__file__).resolve().parents[1]


@cache
def committed(path: str) -> dict[str, Any]:
    """Return a JSON file of the repository; nobody may change it.

    Parameters
    ----------
    path : str
        From the repository's root, such as ``"benchmarks/energy.json"``.
    """
    content: dict[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return content
