"""From a finished training run to a model folder: graphs, the default codebook, and what it was trained on."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from export.fingerprinter import REFERENCE_HOP_S, export_fingerprinter
from fingerprinter.batch import embed_files
from fingerprinter.training_config import TrainingConfig
from nowplaying.artifacts import file_record, read_manifest, write_json
from nowplaying.audio import find_audio
from nowplaying.audio.corpus import read_corpus
from nowplaying.errors import ConfigError
from ondevice_db.train_codebook import train_codebook

__all__ = ["add_codebook", "finish_fingerprinter"]

N_CELLS = 1024
_CODEBOOK_FILES = ("codebook_centroids.npy", "codebook_rotation.npy", "codebook_pq_centroids.npy")


def finish_fingerprinter(
    run_dir: Path,
    output: Path,
    *,
    corpus: Path,
    cache_dir: Path,
    renderings: Path | None = None,
    name: str = "fingerprinter-v1",
    version: str = "1.0.0",
    precision: Literal["int8", "float32"] = "int8",
    jobs: int = 1,
) -> Path:
    """Export a run and train the codebook that ships with it, on the same music as the network.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying train fingerprinter``.
    output : Path
        Model folder to write.
    corpus, cache_dir, renderings : Path
        As the run was given.
    name, version, precision : str
    jobs : int >= 1
        Processes that fingerprint the music.

    Raises
    ------
    ConfigError
        When the run is not finished.
    """
    weights = run_dir / "encoder.weights.h5"
    for path in (weights, run_dir / "config.json", run_dir / "calibration.npy"):
        if not path.is_file():
            message = f"{path}: expected the files of a finished run; let nowplaying train fingerprinter end first"
            raise ConfigError(message)
    config = TrainingConfig.from_json(run_dir / "config.json")
    calibration: NDArray[np.float32] = np.load(run_dir / "calibration.npy", allow_pickle=False)
    music = [file.path for file in read_corpus(corpus, "music", "train")]
    if renderings is not None:
        music += find_audio([renderings])
    training = {**describe_corpus(corpus), "n_renderings": 0 if renderings is None else len(find_audio([renderings]))}
    training["calibration_sha256"] = file_record(run_dir / "calibration.npy")["sha256"]
    export_fingerprinter(
        config, weights, calibration, output, name=name, version=version, training=training, precision=precision
    )
    add_codebook(output, music, cache_dir=cache_dir, jobs=jobs)
    return output


def add_codebook(model: Path, music: Sequence[Path], *, cache_dir: Path, jobs: int, n_cells: int = N_CELLS) -> None:
    """Train the default codebook on music and enter it in the model's manifest."""
    vectors = embed_files(model, music, hop_s=REFERENCE_HOP_S, cache_dir=cache_dir, jobs=jobs)
    train_codebook(vectors, n_cells, n_subspaces=12, seed=0).save(model)
    path = model / "manifest.json"
    manifest = read_manifest(path, kind="model", schema_version=1)
    manifest["files"] |= {file: file_record(model / file) for file in _CODEBOOK_FILES}
    manifest["codebook"] = {"n_cells": n_cells, "n_subspaces": 12, "n_training_fingerprints": len(vectors)}
    write_json(path, manifest)


def describe_corpus(corpus: Path) -> dict[str, Any]:
    """Return what a manifest says of its training data: files and licences of each group's ``train`` split."""
    groups: dict[str, Any] = {}
    for group in ("music", "noise", "speech", "rir"):
        files = read_corpus(corpus, group, "train")
        licences = Counter(file.licence or "not stated" for file in files)
        sources = sorted({file.source for file in files if file.source})
        groups[group] = {"n_files": len(files), "licences": dict(licences.most_common()), "sources": sources}
    return {"data": groups}
