"""Open what is to be verified: a folder of bundles, one of them, or a model; and find the evaluated models."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from export.bundle import BUNDLE_SCHEMA_VERSION, DSP, HALF, MANIFEST, PHONE
from export.metadata import own_bytes, read_identity
from export.model_copies import identity_of
from export.operators import list_operators
from nowplaying_core.artifacts import builtin_model_dir, check_file, read_manifest
from nowplaying_core.errors import ArtifactError, CorruptArtifactError
from nowplaying_core.manifest import ModelFolder

__all__ = ["WEIGHTS", "Subject", "evaluated_model", "open_subject"]

WEIGHTS: Final = {"detector": "weights.npz", "fingerprinter": "encoder.weights.h5"}
"""File with a model's float weights, by role."""

# Role, field of a subject, entry of a bundle.
_PARTS: Final = (
    ("detector", "detector", "detector"),
    ("fingerprinter", "fingerprinter", "fingerprinter"),
    ("fingerprinter", "half", HALF),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Models, C sources and databases to verify.

    Attributes
    ----------
    name : str
    detector, fingerprinter, half : ModelFolder or None
    dsp : Path or None
        Folder of C sources.
    databases : tuple of Path
    """

    name: str
    detector: ModelFolder | None = None
    fingerprinter: ModelFolder | None = None
    half: ModelFolder | None = None
    dsp: Path | None = None
    databases: tuple[Path, ...] = ()


def open_subject(source: str | Path) -> Subject:
    """Open what ``nowplaying export`` wrote, one of its two bundles, or a model; check every hash and graph.

    Raises
    ------
    ArtifactError
        When it is none of these, a file differs from a manifest, a graph is not of builtin operations and static
        shapes, or says inside that it is another.
    """
    folder = Path(source)
    bundles = {
        target: path for target, path in ((PHONE, folder / PHONE), (DSP, folder / DSP)) if (path / MANIFEST).is_file()
    }
    if not bundles and (folder / MANIFEST).is_file():
        bundles = {_checked_bundle(folder)["target"]: folder}
    if not bundles:
        model = ModelFolder.open(source)
        if (role := str(model.manifest.get("role"))) not in WEIGHTS:
            message = f"{model.path}: expected a detector or fingerprinter, found role {role!r}"
            raise CorruptArtifactError(message)
        lone: dict[str, Any] = {role: _checked_graphs(model)}
        return Subject(name=model.manifest["name"], **lone)
    parts: dict[str, Any] = {}
    if PHONE in bundles:
        phone = bundles[PHONE]
        manifest = _checked_bundle(phone)
        for role, part, entry in _PARTS:
            if entry in manifest["models"]:
                parts[part] = _checked_graphs(ModelFolder.open(phone / manifest["models"][entry], role=role))
        parts["databases"] = tuple(phone / name for name in manifest["databases"])
    if DSP in bundles:
        _checked_bundle(bundles[DSP])
        parts["dsp"] = bundles[DSP]
    return Subject(name=folder.resolve().name, **parts)


def evaluated_model(model: ModelFolder, given: Sequence[Path]) -> ModelFolder | None:
    """Return the folder with the float weights of a model: itself, a given one, or the shipped one of its name."""
    role = model.manifest["role"]
    candidates = [model.path, *given]
    with contextlib.suppress(ArtifactError):
        candidates.append(builtin_model_dir(model.manifest["name"]))
    for path in candidates:
        if (path / WEIGHTS[role]).is_file() and (folder := ModelFolder.open(path)).manifest.get("role") == role:
            return folder
    return None


def _checked_bundle(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder / MANIFEST, kind="bundle", schema_version=BUNDLE_SCHEMA_VERSION)
    for name, record in manifest["files"].items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            message = f"{folder / MANIFEST}: {name!r} leads out of the bundle; export it again"
            raise CorruptArtifactError(message)
        check_file(folder / name, record)
    inside = [*manifest.get("models", {}).values(), *manifest.get("databases", ())]
    if unknown := [name for name in inside if f"{name}/manifest.json" not in manifest["files"]]:
        message = f"{folder / MANIFEST}: expected models and databases of this bundle, found {', '.join(unknown)}"
        raise CorruptArtifactError(message)
    return manifest


def _checked_graphs(model: ModelFolder) -> ModelFolder:
    for name, record in model.manifest["files"].items():
        if not name.endswith(".tflite"):
            continue
        path = model.file(name)
        content = path.read_bytes()
        list_operators(content, where=str(path))
        if "graph_sha256" in record:
            _check_identity(model.manifest, path, content, record)
    return model


def _check_identity(manifest: dict[str, Any], path: Path, content: bytes, record: dict[str, Any]) -> None:
    inside = own_bytes(content, int(record.get("graph_bytes", 0)))
    if hashlib.sha256(inside).hexdigest() != record["graph_sha256"]:
        message = f"{path}: the graph in this file is not the one that the manifest names; export it again"
        raise CorruptArtifactError(message)
    own = {"sha256": record["graph_sha256"], "bytes": record["graph_bytes"]}
    expected, found = identity_of(manifest, path.name, own), read_identity(content, where=str(path))
    if found != expected:
        differing = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        names = ", ".join(differing)
        message = f"{path}: what the file says inside differs from its manifest in {names}; export it again"
        raise CorruptArtifactError(message)
