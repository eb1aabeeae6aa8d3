"""From a finished training run to a model folder: graphs, the default codebook, and what it was trained on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from export.fingerprinter import export_fingerprinter
from export.provenance import describe_training
from fingerprinter.training.batch import embed_files
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.progress import checkpoint_state
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, file_record, read_manifest, write_json
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, MissingPathError
from nowplaying_core.manifest import ModelFolder
from ondevice_db.format.layouts import CodeKind, code_fits
from ondevice_db.index.choose_codebook import CODE_BYTES, shipped_codebook
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import codebook_names, load_codebook, save_codebook
from ondevice_db.index.train_codebook import (
    MIN_POINTS_PER_CELL,
    SHIPPED_HOP_S,
    SHIPPED_N_CELLS,
    train_codebook,
    with_smoothing,
)

__all__ = ["publish_fingerprinter", "replace_codes"]

_DIMENSIONS_A_BYTE = 8


def publish_fingerprinter(
    run_dir: Path,
    output: Path,
    sources: TrainingSources,
    *,
    name: str = SHIPPED_FINGERPRINTER,
    version: str = "1.0.0",
    precision: Literal["int8", "float32"] = "int8",
    codes: CodeKind = "product",
    code_bytes: int | None = None,
    all_code_sizes: bool = True,
    jobs: int = 1,
) -> Path:
    """Export a run and train the codebook that ships with it, on recordings that the network was trained on.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying train fingerprinter``.
    output : Path
        Model folder to write.
    sources : TrainingSources
        As the run was given.
    name, version, precision : str
    codes : {"product", "residual"}
        What the bytes of codes name; see `train_codebook`.
    code_bytes : int, optional
        Of the default codebook; by default one for each eight dimensions.
    all_code_sizes : bool
        Whether codebooks of the other code sizes are trained beside the default one.
    jobs : int >= 1
        Processes that fingerprint the music.

    Raises
    ------
    ConfigError
        When the run is not finished, or was given other recordings.
    """
    weights = run_dir / "encoder.weights.h5"
    for path in (weights, run_dir / "config.json", run_dir / "calibration.npy", run_dir / "checkpoint.json"):
        if not path.is_file():
            message = f"{path}: expected the files of a finished run; let nowplaying train fingerprinter end first"
            raise MissingPathError(message)
    config = TrainingConfig.from_json(run_dir / "config.json")
    step = int(checkpoint_state(run_dir)["step"])
    if step < config.n_steps:
        message = (
            f"{run_dir}: expected a finished run, found step {step} of {config.n_steps}; let the training end first"
        )
        raise ConfigError(message)
    training = describe_training(run_dir, sources)
    calibration: NDArray[np.float32] = np.load(run_dir / "calibration.npy", allow_pickle=False)
    training["calibration_sha256"] = file_record(run_dir / "calibration.npy")["sha256"]
    export_fingerprinter(
        config, weights, calibration, output, name=name, version=version, training=training, precision=precision
    )
    _add_codebook(output, sources, codes, code_bytes, jobs=jobs, all_code_sizes=all_code_sizes)
    return output


def _add_codebook(
    model: Path,
    sources: TrainingSources,
    codes: CodeKind,
    code_bytes: int | None,
    *,
    jobs: int,
    all_code_sizes: bool,
) -> None:
    """Train the default codebook and, by default, those of other code sizes; enter them in the manifest."""
    music = _embed_music(model, sources, codes, jobs)
    n_subspaces = code_bytes or music.learned.shape[1] // _DIMENSIONS_A_BYTE
    default = train_codebook(music.learned, SHIPPED_N_CELLS, n_subspaces=n_subspaces, kind=codes, seed=0)
    _save_default(model, with_smoothing(default, music.songs), music)
    _keep_sizes(model, _add_sizes(model, music, default) if all_code_sizes else [])


def replace_codes(
    model: Path,
    sources: TrainingSources,
    codes: CodeKind | None = None,
    code_bytes: int | None = None,
    *,
    all_code_sizes: bool = True,
    jobs: int,
) -> None:
    """Train the quantizers of the other code sizes for the cells that a model ships, and enter them.

    Parameters
    ----------
    model : Path
        Model folder with a codebook.
    sources : TrainingSources
    codes : {"product", "residual"}, optional
        The default codebook is trained anew, too, where it is of the other kind or size; its cells stay.
    code_bytes : int, optional
        Of the default codebook.
    all_code_sizes : bool
        False leaves the other sizes as they are; those of another kind than the default codebook are removed.
    jobs : int >= 1

    Raises
    ------
    ArtifactError
        When there is no such model, or one of its files is damaged.
    """
    model = ModelFolder.open(model, role="fingerprinter").path
    mapped = load_codebook(model)
    # Copies, because the files under the maps are about to be written anew.
    default = Codebook(*(np.array(one) for one in (mapped.centroids, mapped.rotation, mapped.pq_centroids)))
    kind, n_bytes = codes or default.kind, code_bytes or default.n_subspaces
    music = _embed_music(model, sources, kind, jobs)
    if (kind, n_bytes) != (default.kind, default.n_subspaces):
        cells = default.centroids
        default = train_codebook(music.learned, len(cells), n_subspaces=n_bytes, kind=kind, centroids=cells)
        _save_default(model, with_smoothing(default, music.songs), music)
    _keep_sizes(model, _add_sizes(model, music, default) if all_code_sizes else _sizes_like(model, default))


@dataclass(frozen=True, slots=True)
class _Music:
    """Fingerprints of the music that codebooks learn from, song by song and one in `SHIPPED_HOP_S`."""

    songs: list[NDArray[np.float32]]
    learned: NDArray[np.float32]


def _save_default(model: Path, codebook: Codebook, music: _Music) -> None:
    save_codebook(codebook, model)
    entry = {"kind": codebook.kind, "n_cells": codebook.n_cells, "n_subspaces": codebook.n_subspaces}
    _enter(model, codebook, codebook_names(), {**entry, "n_training_fingerprints": len(music.learned)})


def _embed_music(model: Path, sources: TrainingSources, codes: CodeKind, jobs: int) -> _Music:
    """Fingerprint recordings; rendered music, which is unlike what people index, only where they are too few.

    What smooths references learns from neighbors that are as far from each other as in databases.
    """
    hop_s = SHIPPED_HOP_S
    if codes == "residual":
        hop_s = float(read_manifest(model / "manifest.json", kind="model", schema_version=1)["reference_hop_s"])
    step = max(round(SHIPPED_HOP_S / hop_s), 1)

    def embed(files: Sequence[CorpusFile]) -> list[NDArray[np.float32]]:
        paths = [file.path for file in files]
        return embed_files(model, paths, hop_s=hop_s, cache_dir=sources.cache_dir, jobs=jobs)

    songs, rendered = embed(sources.files("music", "train")), sources.rendered_files()
    if rendered and sum(len(song[::step]) for song in songs) < MIN_POINTS_PER_CELL * SHIPPED_N_CELLS:
        songs += embed(rendered)
    return _Music(songs, np.concatenate([song[::step] for song in songs]))


def _add_sizes(model: Path, music: _Music, default: Codebook) -> list[int]:
    """Train the codebooks of the other sizes for the default one's cells, and return their numbers of bytes."""
    sizes = [n for n in CODE_BYTES if n != default.n_subspaces and code_fits(n, default.dim, default.kind)]
    for n in sizes:
        trained = train_codebook(
            music.learned, default.n_cells, n_subspaces=n, kind=default.kind, seed=0, centroids=default.centroids
        )
        names = {role: name for role, name in codebook_names(n).items() if role != "centroids"}
        trained = with_smoothing(trained, music.songs)
        save_codebook(trained, model, names)
        _enter(model, trained, names, {})
    return sizes


def _sizes_like(model: Path, default: Codebook) -> list[int]:
    """Return the other code sizes that a model has in the default codebook's kind."""
    there = {n: shipped_codebook(model, n) for n in CODE_BYTES if n != default.n_subspaces}
    return [n for n, one in there.items() if (one.n_subspaces, one.kind) == (n, default.kind)]


def _keep_sizes(model: Path, sizes: Collection[int]) -> None:
    """Enter the further code sizes, and remove the codebooks of others: an earlier default's cells or kind."""
    path = model / "manifest.json"
    manifest = read_manifest(path, kind="model", schema_version=1)
    kept = {name for n in (None, *sizes) for name in codebook_names(n).values()}
    gone = [file for file in model.glob("codebook_*.npy") if file.name not in kept]
    for file in gone:
        manifest["files"].pop(file.name, None)
    manifest["codebook"]["further_code_bytes"] = list(sizes)
    write_json(path, manifest)
    for file in gone:
        file.unlink()


def _enter(model: Path, codebook: Codebook, names: Mapping[str, str], entry: Mapping[str, Any]) -> None:
    """Enter a codebook's files and facts in the manifest, and remove those of another kind that were there before."""
    path = model / "manifest.json"
    manifest = read_manifest(path, kind="model", schema_version=1)
    manifest["files"] |= {name: file_record(model / name) for role, name in names.items() if role in codebook.roles}
    gone = [name for role, name in names.items() if role not in codebook.roles]
    manifest["files"] = {name: record for name, record in manifest["files"].items() if name not in gone}
    manifest["codebook"] = {**manifest.get("codebook", {}), **entry}
    write_json(path, manifest)
    for name in gone:
        (model / name).unlink(missing_ok=True)
