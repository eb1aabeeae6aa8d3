"""The shipped detector's first stage as a detector of its own."""

import json
import shutil
from pathlib import Path

from detector.second_stage import SECOND_STAGE_FILE
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir

__all__ = ["one_stage"]


def one_stage(target: Path) -> Path:
    """Write the first stage's model folder, and return it."""
    without = shutil.ignore_patterns("second_stage*")
    shutil.copytree(builtin_model_dir(SHIPPED_DETECTOR), target, ignore=without)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    del manifest["cascade"], manifest["files"][SECOND_STAGE_FILE], manifest["tensors"][SECOND_STAGE_FILE]
    (target / "manifest.json").write_text(json.dumps(manifest | {"name": "of-one-stage"}), encoding="utf-8")
    return target
