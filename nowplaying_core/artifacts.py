"""Artifacts are pairs: a file and the JSON manifest that states its hash, size, tensors, settings and metrics."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nowplaying_core.errors import CorruptArtifactError, MissingPathError, UnsupportedVersionError, disk_advice
from nowplaying_core.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "SHIPPED_AUDIO_ENCODER",
    "SHIPPED_DETECTOR",
    "SHIPPED_FINGERPRINTER",
    "builtin_model_dir",
    "canonical_json",
    "check_file",
    "file_record",
    "read_manifest",
    "sha256_file",
    "write_array",
    "write_arrays",
    "write_atomic",
    "write_bytes",
    "write_json",
    "write_text",
]

SHIPPED_DETECTOR = "detector-v3"
SHIPPED_FINGERPRINTER = "fingerprinter-v2"
SHIPPED_AUDIO_ENCODER = "audio-encoder-v1"
MODEL_SCHEMA_VERSION = 1
_CHUNK_BYTES = 1 << 20
_SURROGATES = re.compile("[\ud800-\udfff]+")


def builtin_model_dir(name: str) -> Path:
    """Find a shipped model's folder, in the source tree or in an installed wheel.

    Parameters
    ----------
    name : str
        Folder name, such as ``"detector-v3"`` or ``"fingerprinter-v2"``.

    Returns
    -------
    Path
        Folder with ``manifest.json`` and the ``.tflite`` files it names.

    Raises
    ------
    MissingPathError
        When this installation ships no model of that name.
    CorruptArtifactError
        When there is something else of that name here.
    """
    root = Path(__file__).resolve().parents[1]
    roots = (root / "nowplaying" / "models", root / "models")
    for root in roots:
        if (root / name / "manifest.json").is_file():
            return root / name
    if Path(name).exists():
        message = f"{name}: expected a model folder with a manifest.json, found none in it; check the path"
        raise CorruptArtifactError(message)
    shipped = sorted(path.parent.name for root in roots for path in root.glob("*/manifest.json"))
    known = f"expected a folder or one of {', '.join(shipped)}" if shipped else f"{roots[0]} has none; install again"
    message = f"{name}: no such folder, and no shipped model has that name; {known}"
    raise MissingPathError(message)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 lower-case hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def file_record(path: Path) -> dict[str, Any]:
    """Return what a manifest records of a file: ``{"sha256": ..., "bytes": ...}``."""
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def check_file(path: Path, record: Mapping[str, Any]) -> None:
    """Check a file against its manifest record, size first, so that a truncated file is refused at once.

    Raises
    ------
    CorruptArtifactError
        When the file is missing, or its size or hash differ from the record.
    """
    expected_bytes, expected_sha256 = record.get("bytes"), record.get("sha256")
    if not path.is_file():
        message = f"{path}: file named by the manifest is missing; restore it or rebuild the artifact"
        raise CorruptArtifactError(message)
    if path.stat().st_size != expected_bytes:
        message = f"{path}: expected {expected_bytes} bytes, found {path.stat().st_size}; restore or rebuild it"
        raise CorruptArtifactError(message)
    if sha256_file(path) != expected_sha256:
        message = f"{path}: SHA-256 differs from the manifest's {str(expected_sha256)[:16]}...; restore or rebuild it"
        raise CorruptArtifactError(message)


def read_manifest(path: Path, *, kind: str, schema_version: int, content: bytes | None = None) -> dict[str, Any]:
    """Read a manifest and check its kind and schema version before anything else is opened.

    Parameters
    ----------
    path : Path
        JSON file.
    kind : str
        What the caller wants, such as ``"model"`` or ``"database"``; compared with the manifest's ``kind``.
    schema_version : int
        Newest version that the caller reads; older versions from 1 are accepted.
    content : bytes, optional
        What the caller has read already; ``path`` then only names it.

    Raises
    ------
    CorruptArtifactError
        When the file is missing, not a JSON object, or of another kind.
    MissingPathError
        When it may not be read.
    UnsupportedVersionError
        When the manifest was written under a newer schema.
    """
    try:
        manifest = json.loads((path.read_bytes() if content is None else content).decode("utf-8"))
    except PermissionError as error:
        message = f"{path}: cannot be read ({error.strerror}); {disk_advice(error)}"
        raise MissingPathError(message) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        message = f"{path}: expected a readable JSON manifest of a {kind} ({reason}); restore or rebuild it"
        raise CorruptArtifactError(message) from error
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        found = manifest.get("kind") if isinstance(manifest, dict) else type(manifest).__name__
        message = f"{path}: expected the manifest of a {kind}, found {found!r}; check the path"
        raise CorruptArtifactError(message)
    version = manifest.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        message = f"{path}: expected schema_version >= 1, found {version!r}; restore or rebuild it"
        raise CorruptArtifactError(message)
    if version > schema_version:
        message = f"{path}: schema_version {version} is newer than {schema_version}; update nowplaying to read it"
        raise UnsupportedVersionError(message)
    return manifest


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value (sorted keys, no spaces), for hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, sync it, and rename it: readers see the old file or the new one.

    Parameters
    ----------
    path : Path
        Final name; its folder must exist.
    write : callable
        Receives the temporary path in the same folder and writes the whole file there.

    Raises
    ------
    OSError
        When it cannot be written, which bears the final name.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically; NaN and infinity are refused because no JSON reader agrees on them."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, _SURROGATES.sub(lambda found: json.dumps(printable(found[0]), ensure_ascii=False)[1:-1], text))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8; bytes of a file's name that are none stand with escapes."""
    write_bytes(path, printable(text).encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    write_atomic(path, lambda temporary: _write_bytes(temporary, content))


def write_array(path: Path, array: "NDArray[Any]") -> None:
    """Write a ``.npy`` file atomically."""
    import numpy as np

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:  # np.save adds .npy to a bare name
            np.save(handle, array, allow_pickle=False)

    write_atomic(path, write)


def write_arrays(path: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Write a ``.npz`` file of named arrays of numbers atomically."""
    import numpy as np

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            np.savez(handle, **arrays)  # type: ignore[arg-type]  # NumPy's own options have other types

    write_atomic(path, write)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
