"""From a finished training run to a model folder: graphs, the default codebook, and what it was trained on."""

from collections.abc import Mapping, Sequence
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
from ondevice_db.format.arrays import save_array
from ondevice_db.format.schema import CodeKind, code_fits
from ondevice_db.index.choose_codebook import CODE_BYTES
from ondevice_db.index.codebook import CODEBOOK_ROLES, Codebook, codebook_names
from ondevice_db.index.train_codebook import MIN_POINTS_PER_CELL, SHIPPED_HOP_S, SHIPPED_N_CELLS, train_codebook

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
        When the run is not finished.
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
    calibration: NDArray[np.float32] = np.load(run_dir / "calibration.npy", allow_pickle=False)
    training = describe_training(sources)
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
    code_bytes: int | None = None,
    *,
    jobs: int,
    n_cells: int = SHIPPED_N_CELLS,
    all_code_sizes: bool = True,
) -> None:
    """Train the default codebook and, by default, those of other code sizes; enter them in the manifest."""
    vectors = _embed_music(model, sources, jobs)
    n_subspaces = code_bytes or vectors.shape[1] // _DIMENSIONS_A_BYTE
    default = train_codebook(vectors, n_cells, n_subspaces=n_subspaces, kind=codes, seed=0)
    _save_default(model, default, len(vectors))
    if all_code_sizes:
        _add_sizes(model, vectors, default)


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
        False leaves the other sizes as they are.
    jobs : int >= 1
    """
    mapped = Codebook.load(model)
    # Copies, because the files under the maps are about to be written anew.
    default = Codebook(*(np.array(getattr(mapped, role)) for role in CODEBOOK_ROLES))
    vectors = _embed_music(model, sources, jobs)
    wanted = (codes or default.kind, code_bytes or default.n_subspaces)
    if wanted != (default.kind, default.n_subspaces):
        kind, n_bytes = wanted
        cells = default.centroids
        default = train_codebook(vectors, len(cells), n_subspaces=n_bytes, kind=kind, centroids=cells)
        _save_default(model, default, len(vectors))
    if all_code_sizes:
        _add_sizes(model, vectors, default)


def _save_default(model: Path, codebook: Codebook, n_learned: int) -> None:
    codebook.save(model)
    entry = {"kind": codebook.kind, "n_cells": codebook.n_cells, "n_subspaces": codebook.n_subspaces}
    _enter(model, list(codebook_names().values()), {**entry, "n_training_fingerprints": n_learned})


def _embed_music(model: Path, sources: TrainingSources, jobs: int) -> NDArray[np.float32]:
    """Fingerprint recordings; rendered music, which is unlike what people index, only where they are too few."""

    def embed(files: Sequence[CorpusFile]) -> NDArray[np.float32]:
        paths = [file.path for file in files]
        return embed_files(model, paths, hop_s=SHIPPED_HOP_S, cache_dir=sources.cache_dir, jobs=jobs)

    vectors, rendered = embed(sources.files("music", "train")), sources.rendered_files()
    if len(vectors) >= MIN_POINTS_PER_CELL * SHIPPED_N_CELLS or not rendered:
        return vectors
    return np.concatenate([vectors, embed(rendered)])


def _add_sizes(model: Path, vectors: NDArray[np.float32], default: Codebook) -> None:
    sizes = [n for n in CODE_BYTES if n != default.n_subspaces and code_fits(n, default.dim, default.kind)]
    for n in sizes:
        names = codebook_names(n)
        trained = train_codebook(
            vectors, default.n_cells, n_subspaces=n, kind=default.kind, seed=0, centroids=default.centroids
        )
        save_array(model / names["rotation"], trained.rotation)
        save_array(model / names["pq_centroids"], trained.pq_centroids)
    files = [codebook_names(n)[role] for n in sizes for role in ("rotation", "pq_centroids")]
    _enter(model, files, {"further_code_bytes": sizes})


def _enter(model: Path, files: Sequence[str], entry: Mapping[str, Any]) -> None:
    path = model / "manifest.json"
    manifest = read_manifest(path, kind="model", schema_version=1)
    manifest["files"] |= {file: file_record(model / file) for file in files}
    manifest["codebook"] = {**manifest.get("codebook", {}), **entry}
    write_json(path, manifest)
