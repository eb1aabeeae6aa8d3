"""The bundle for a phone or a DSP: the shipped graphs with manifests and, if wanted, a database, checked as a whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.network import StatefulNetwork, open_network
from detector.stream import MODEL_FILE
from export.firmware import export_firmware
from fingerprinter.fingerprint import Fingerprinter
from nowplaying import __version__
from nowplaying.artifacts import file_record, sync_folder, write_json
from nowplaying.errors import ConfigError, CorruptArtifactError
from nowplaying.manifest import ModelFolder
from nowplaying.runtime import TfliteModel

__all__ = ["BUNDLE_SCHEMA_VERSION", "BundleReport", "export_bundle"]

BUNDLE_SCHEMA_VERSION = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleReport:
    """What was written.

    Attributes
    ----------
    path : Path
    files : dict
        Relative path to {"sha256", "bytes"}.
    checks : dict
        Name of each check to what it found.
    """

    path: Path
    files: dict[str, dict[str, Any]]
    checks: dict[str, str]

    @property
    def n_bytes(self) -> int:
        """Size of the whole bundle."""
        return sum(record["bytes"] for record in self.files.values())


def export_bundle(
    output: Path,
    *,
    detector: str | Path,
    fingerprinter: str | Path,
    database: Path | None = None,
) -> BundleReport:
    """Write a bundle folder; nothing is left behind when a check fails.

    A detector with states comes with its firmware sources as well.

    Parameters
    ----------
    output : Path
        Folder that does not exist yet, or is empty.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    database : Path, optional
        Must have been built with this fingerprinter.

    Raises
    ------
    ConfigError
        When the output folder holds something already.
    ArtifactError
        When a model or the database is corrupt, or they do not belong together.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        message = f"{output}: expected a new or empty folder, found something there; choose another or empty it"
        raise ConfigError(message)
    models = {
        "detector": ModelFolder.open(detector, role="detector"),
        "fingerprinter": ModelFolder.open(fingerprinter, role="fingerprinter"),
    }
    checks: dict[str, str] = {}
    with _temporary(output) as folder:
        for role, model in models.items():
            _copy_model(model, folder / "models" / role)
            for name, tensors in _graph_tensors(folder / "models" / role, model).items():
                checks[f"{role}/{name}"] = tensors
        opened = Fingerprinter.from_model(folder / "models" / "fingerprinter")
        if isinstance(open_network(TfliteModel(folder / "models" / "detector" / MODEL_FILE)), StatefulNetwork):
            written = export_firmware(folder / "models" / "detector", folder / "firmware")
            checks["firmware"] = ", ".join(path.name for path in written)
        checks["fingerprint"] = _check_fingerprint(opened)
        if database is not None:
            from ondevice_db.store import SongDatabase
            from ondevice_db.versions import copy_current

            songs = SongDatabase.open(database, opened.embedding_space)
            checks["database"] = f"{songs.n_songs} songs of embedding space {opened.embedding_space}"
            copy_current(database, folder / "songs.npdb")
        files = {
            path.relative_to(folder).as_posix(): file_record(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        write_json(
            folder / "bundle.json",
            {
                "kind": "bundle",
                "schema_version": BUNDLE_SCHEMA_VERSION,
                "tool": f"nowplaying {__version__}",
                "embedding_space": opened.embedding_space,
                "files": files,
                "checks": checks,
            },
        )
    return BundleReport(path=output, files=files, checks=checks)


@contextmanager
def _temporary(output: Path) -> Iterator[Path]:
    """Give a folder beside the output, which takes the output's name at the end or disappears."""
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = output.with_name(f".{output.name}.tmp")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
        if output.exists():
            output.rmdir()
        folder.rename(output)
        sync_folder(output.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_model(model: ModelFolder, target: Path) -> None:
    target.mkdir(parents=True)
    for name in model.manifest["files"]:
        shutil.copyfile(model.file(name), target / name)
    shutil.copyfile(model.path / _MANIFEST, target / _MANIFEST)
    # Open the copy again: what the phone gets is what was checked.
    ModelFolder.open(target, role=model.manifest["role"])


def _graph_tensors(folder: Path, model: ModelFolder) -> dict[str, str]:
    """Open every graph and compare its tensors with what the manifest states."""
    found = {}
    for name in model.manifest["files"]:
        if not name.endswith(".tflite"):
            continue
        graph = TfliteModel(folder / name)
        stated = model.manifest.get("tensors", {}).get(name)
        actual = graph.tensors()
        if stated is not None and stated != actual:
            message = f"{folder / name}: the manifest states tensors {stated}, the graph has {actual}; export it again"
            raise CorruptArtifactError(message)
        found[name] = f"{graph.input.dtype} {graph.input.shape} -> {graph.output.dtype} {graph.output.shape}"
    return found


def _check_fingerprint(fingerprinter: Fingerprinter) -> str:
    """Fingerprint a rising tone: the result must be a finite unit vector, and not that of silence."""
    time_s = np.arange(fingerprinter.window_samples) / fingerprinter.sample_rate_hz
    tone = 0.3 * np.sin(2 * np.pi * (300.0 + 400.0 * time_s) * time_s).astype(np.float32)
    heard = fingerprinter.embed(tone, 1.0)[0]
    silence = fingerprinter.embed(np.zeros_like(tone), 1.0)[0]
    length = float(np.linalg.norm(heard))
    if not abs(length - 1.0) < 1e-3 or float(heard @ silence) > 0.99:
        message = f"{fingerprinter.folder.path}: the encoder gives no usable fingerprint (length {length:.3f})"
        raise CorruptArtifactError(message)
    return f"unit vector of {fingerprinter.dim} dimensions"
