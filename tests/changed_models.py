"""Copies of the shipped fingerprinter with other entries of its manifest."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fingerprinter.overhang import OVERHANG_ENTRIES
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir, write_json

__all__ = ["changed_fingerprinter"]


def changed_fingerprinter(folder: Path, entries: Mapping[str, Any]) -> Path:
    """Copy the shipped fingerprinter into a new folder and change its manifest; None takes an entry away.

    Its overhang is taken away as well: a copy has what the entries say.
    """
    shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), folder)
    shipped = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest = {**shipped, **dict.fromkeys(OVERHANG_ENTRIES), **entries}
    write_json(folder / "manifest.json", {name: value for name, value in manifest.items() if value is not None})
    return folder
