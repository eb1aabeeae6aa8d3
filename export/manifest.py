"""Write the manifest of a model folder."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from export.model_copies import CARD
from nowplaying_core import __version__
from nowplaying_core.artifacts import MODEL_SCHEMA_VERSION, write_json
from nowplaying_core.runtime import TfliteModel

__all__ = ["write_manifest"]


def write_manifest(
    folder: Path, files: Mapping[str, Any], *, role: str, name: str, version: str, **entries: Any
) -> Path:
    """Write ``manifest.json`` beside the files of a model, and return the folder.

    A card that is there is removed: it is another model's, or says what the manifest said before.

    Parameters
    ----------
    folder : Path
        Model folder, with its files in place.
    files : mapping of str to mapping
        Record of every file, as :func:`nowplaying_core.artifacts.file_record` returns it. Graphs are opened to state
        their tensors.
    role, name, version : str
    **entries
        Entries of this role: settings, measurements, training data.
    """
    manifest = {
        "kind": "model",
        "schema_version": MODEL_SCHEMA_VERSION,
        "role": role,
        "name": name,
        "version": version,
        "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "licence": "Apache-2.0",
        "tool": f"nowplaying {__version__}",
        "files": dict(files),
        "tensors": {file: TfliteModel(folder / file).tensors() for file in files if file.endswith(".tflite")},
        **entries,
    }
    write_json(folder / "manifest.json", manifest)
    (folder / CARD).unlink(missing_ok=True)
    return folder
