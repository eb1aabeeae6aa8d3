"""Changes to a database as somebody would make them who means harm: the manifest agrees with what was changed."""

import json
import sqlite3
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.artifacts import file_record
from ondevice_db.format.manifest import manifest_digest


def rewrite(database: Path, role: str, content: bytes) -> None:
    """Replace a file and make the manifest agree, as somebody would who means harm."""
    manifest = json.loads((database / "manifest.json").read_text())
    path = database / manifest["files"][role]["name"]
    path.write_bytes(content)
    manifest["files"][role] |= file_record(path)
    sign(database, manifest)


def sign(database: Path, manifest: dict[str, Any]) -> None:
    manifest["digest"] = manifest_digest(manifest)
    (database / "manifest.json").write_text(json.dumps(manifest))


def set_field(database: Path, value: object, *keys: str) -> None:
    manifest = json.loads((database / "manifest.json").read_text())
    inner = manifest
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    sign(database, manifest)


def npy(array: np.ndarray) -> bytes:
    stream = BytesIO()
    np.save(stream, array, allow_pickle=array.dtype == object)
    return stream.getvalue()


def sqlite_bytes(tmp_path: Path, *statements: str, start: bytes | None = None) -> bytes:
    path = tmp_path / "made.sqlite"
    path.unlink(missing_ok=True)
    if start is not None:
        path.write_bytes(start)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()
