"""Write the bundles for a phone and a DSP: checked graphs with their manifests, databases, and C sources."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from detector.stream import MODEL_FILE
from export.bundle_report import BundleReport, graph_facts
from export.firmware import export_firmware
from export.golden_phone import write_golden
from export.guide import write_guide
from export.model_copies import copy_with_metadata
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core import __version__
from nowplaying_core.artifacts import file_record, sync_folder, write_json, write_text
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["BUNDLE_SCHEMA_VERSION", "DSP", "HALF", "MANIFEST", "PHONE", "export_bundle"]

BUNDLE_SCHEMA_VERSION: Final = 1
MANIFEST: Final = "bundle.json"
PHONE, DSP, GOLDEN, HALF = "phone", "dsp", "golden", "fingerprinter-fp16"
# As the Android app has its assets, so that a phone's bundle can take their place.
_MODELS, _PACKS = "models", "packs"


def export_bundle(
    output: Path,
    *,
    detector: str | Path,
    fingerprinter: str | Path,
    databases: Sequence[Path] = (),
    half: bool = False,
    force: bool = False,
    private_key: Path | None = None,
) -> BundleReport:
    """Write ``phone/`` and ``dsp/``, each with a ``bundle.json`` of its files; golden vectors and a page beside them.

    Nothing stays behind when a check fails.

    The same models and databases give the same bytes.

    Parameters
    ----------
    output : Path
        Folder that does not exist yet, or is empty.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    databases : sequence of Path
        Song databases that were built with this fingerprinter; each keeps its name.
    half : bool
        Also write the encoder with float16 weights, which takes TensorFlow and the model's float weights.
    force : bool
        Replace an earlier export.
    private_key : Path, optional
        PEM file of a P-256 key that signs everything in the folder.

    Raises
    ------
    ConfigError
        When the output folder holds something else, or an earlier export without ``force``, or two databases have one
        name.
    ArtifactError
        When a model or a database is corrupt, or they do not belong together.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        is_export = (output / PHONE / MANIFEST).is_file() and (output / "report.json").is_file()
        if not is_export:
            message = f"{output}: expected a new or empty folder, found something there; choose another or empty it"
            raise ConfigError(message)
        if not force:
            message = f"{output}: expected a new or empty folder, found an earlier export; --force replaces it"
            raise ConfigError(message)
    names = [path.resolve().name for path in databases]
    if len(set(names)) < len(names):
        message = f"--db: expected databases of different names, found {', '.join(names)}; rename one"
        raise ConfigError(message)
    detector_model = ModelFolder.open(detector, role="detector")
    fingerprinter_model = ModelFolder.open(fingerprinter, role="fingerprinter")
    checks: dict[str, str] = {}
    with _temporary(output) as folder:
        phone = folder / PHONE
        models = {
            "detector": copy_with_metadata(detector_model, phone / _MODELS / "detector"),
            # A database has the codebook that it was built with.
            "fingerprinter": copy_with_metadata(
                fingerprinter_model, phone / _MODELS / "fingerprinter", leave_out=("codebook",)
            ),
        }
        if half:
            models[HALF] = _half(fingerprinter_model, phone / _MODELS / HALF)
        for role, model in models.items():
            checks |= {f"{role}/{name}": text for name, text in _check_tensors(model).items()}
        opened = Fingerprinter(models["fingerprinter"])
        checks["fingerprint"] = _check_fingerprint(opened)
        for path, name in zip(databases, names, strict=True):
            checks[f"{_PACKS}/{name}"] = _copy_database(path, phone / _PACKS / name, opened.embedding_space)
        entries = {
            "models": {role: f"{_MODELS}/{role}" for role in models},
            "databases": [f"{_PACKS}/{name}" for name in names],
            "embedding_space": opened.embedding_space,
        }
        _seal(phone, target=PHONE, **entries)
        checks[DSP] = _write_dsp(detector_model, folder / DSP)
        checks[GOLDEN] = write_golden(folder / GOLDEN, models["detector"], opened, fingerprinter_model.path)
        write_guide(folder, models["detector"], opened, names)
        report = BundleReport(
            path=output,
            files={path.relative_to(folder).as_posix(): file_record(path) for path in _files(folder)},
            graphs={
                f"{PHONE}/{_MODELS}/{role}/{name}": graph_facts(model.file(name))
                for role, model in models.items()
                for name in model.manifest["files"]
                if name.endswith(".tflite")
            },
            checks=checks,
        )
        write_json(folder / "report.json", report.to_dict())
        write_text(folder / "report.md", report.to_markdown())
        if private_key is not None:
            from export.signing import sign_export

            sign_export(folder, private_key)
    return report


@contextmanager
def _temporary(output: Path) -> Iterator[Path]:
    """Give a folder beside the output, which takes the output's name at the end or disappears."""
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = output.with_name(f".{output.name}.tmp")
    earlier = output.with_name(f".{output.name}.earlier")

    def clear() -> None:
        if earlier.exists() and not output.exists():
            earlier.rename(output)
        for left in (folder, earlier):
            shutil.rmtree(left, ignore_errors=True)

    clear()  # after a run that was killed, perhaps between the two renames
    folder.mkdir()
    try:
        yield folder
        if output.exists():
            # What was there goes first out of the way, in one step, so that no mixture is ever in its place.
            output.rename(earlier)
        folder.rename(output)
        sync_folder(output.parent)
    except OSError as error:
        if error.filename is None:
            error.filename = str(output)
        raise
    finally:
        clear()


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _seal(folder: Path, **entries: Any) -> None:
    """Write a bundle's manifest: what it is for, where things are, and the hash of every file."""
    files = {path.relative_to(folder).as_posix(): file_record(path) for path in _files(folder)}
    head = {"kind": "bundle", "schema_version": BUNDLE_SCHEMA_VERSION, "tool": f"nowplaying {__version__}"}
    write_json(folder / MANIFEST, {**head, **entries, "files": files})


def _half(model: ModelFolder, target: Path) -> ModelFolder:
    from export.float_reference import ENCODER_WEIGHTS, write_float_reference

    with tempfile.TemporaryDirectory() as folder:
        reference = write_float_reference(model, model.path / ENCODER_WEIGHTS, Path(folder) / HALF, precision="float16")
        return copy_with_metadata(reference, target)


def _copy_database(source: Path, target: Path, embedding_space: str) -> str:
    from ondevice_db.store.store import SongDatabase
    from ondevice_db.store.versions import copy_current

    SongDatabase.open(source, embedding_space)  # so that an error names the user's own folder
    songs = copy_current(source, target, embedding_space)
    return f"{songs.n_songs} songs of embedding space {embedding_space}"


def _write_dsp(model: ModelFolder, target: Path) -> str:
    """Write the C sources, and return their names."""
    written = export_firmware(model, target)
    facts = graph_facts(model.file(MODEL_FILE))
    _seal(target, target=DSP, graph_sha256=facts["sha256"], operators=facts["operators"])
    return ", ".join(path.name for path in written)


def _check_tensors(model: ModelFolder) -> dict[str, str]:
    """Open every graph and compare its tensors with what the manifest states."""
    found = {}
    for name in model.manifest["files"]:
        if not name.endswith(".tflite"):
            continue
        path = model.file(name)
        graph, stated = TfliteModel(path), model.manifest.get("tensors", {}).get(name)
        if stated is not None and stated != graph.tensors():
            message = f"{path}: the manifest states tensors {stated}, the graph has {graph.tensors()}; export it again"
            raise CorruptArtifactError(message)
        found[name] = f"{graph.input.dtype} {graph.input.shape} -> {graph.output.dtype} {graph.output.shape}"
    return found


def _check_fingerprint(fingerprinter: Fingerprinter) -> str:
    """Fingerprint a rising tone: the result must be a finite unit vector, and not that of silence."""
    time_s = np.arange(fingerprinter.window_samples) / fingerprinter.sample_rate_hz
    tone = 0.3 * np.sin(2 * np.pi * (300.0 + 400.0 * time_s) * time_s).astype(np.float32)
    embedding = fingerprinter.embed(tone, 1.0)[0]
    silence = fingerprinter.embed(np.zeros_like(tone), 1.0)[0]
    length = float(np.linalg.norm(embedding))
    if not abs(length - 1.0) < 1e-3 or float(embedding @ silence) > 0.99:
        path = fingerprinter.folder.path
        message = f"{path}: the encoder gives no usable fingerprint (length {length:.3f}); publish the model again"
        raise CorruptArtifactError(message)
    return f"unit vector of {fingerprinter.dim} dimensions"
