"""Export a trained fingerprinter: front end in float, encoder in int8, codebook and manifest in one checked folder."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from export.macs import count_macs
from export.manifest import write_manifest
from export.tflite import to_float, to_int8
from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.fingerprint import embedding_space
from fingerprinter.overhang import OVERHANG_ENTRIES
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.artifacts import file_record, write_bytes

__all__ = ["export_fingerprinter", "front_end_model", "load_encoder", "raw_encoder"]


def front_end_model(config: FrontEndConfig) -> keras.Model:
    """Return the front end alone as a model, (n, window_samples) to (n, n_mels, n_frames, 1)."""
    samples = keras.Input((config.window_samples,), name="samples")
    return keras.Model(samples, LogMel(config, name="log_mel")(samples), name="front_end")


def load_encoder(config: TrainingConfig, weights: Path) -> keras.Model:
    """Rebuild the encoder and load its trained weights."""
    encoder = build_encoder(config.encoder, config.front_end)
    encoder.load_weights(weights)
    return encoder


def raw_encoder(encoder: keras.Model) -> keras.Model:
    """Return the encoder in the form that int8 keeps: a depthwise head, and unit length left to the caller."""
    vectors = encoder.get_layer("head").as_depthwise(encoder.get_layer("flatten").output)
    return keras.Model(encoder.inputs[0], vectors, name="raw_encoder")


def export_fingerprinter(
    config: TrainingConfig,
    weights: Path,
    calibration: NDArray[np.float32],
    output: Path,
    *,
    name: str,
    version: str,
    training: Mapping[str, Any],
    precision: Literal["int8", "float32"] = "int8",
) -> Path:
    """Write a model folder that :class:`fingerprinter.fingerprint.Fingerprinter` opens.

    Parameters
    ----------
    config : TrainingConfig
        Of the run that the weights come from.
    weights : Path
        ``encoder.weights.h5``.
    calibration : ndarray of float32, shape (n, n_mels, n_frames, 1)
        Log-mel images that set the int8 ranges.
    output : Path
        Folder; its codebook and acceptance files, if any, are the caller's to renew, since the embedding space is new.
    name, version : str
    training : mapping
        Data, licences, steps, seed: recorded in the manifest.
    precision : {"int8", "float32"}
        float32 is for comparison only.

    Returns
    -------
    Path
        The folder.
    """
    output.mkdir(parents=True, exist_ok=True)
    encoder = raw_encoder(load_encoder(config, weights))
    names = OVERHANG_ENTRIES if config.query_overhang_s else ()
    graph = to_int8(encoder, calibration, output="float32") if precision == "int8" else to_float(encoder)
    write_bytes(output / "frontend.tflite", to_float(front_end_model(config.front_end)))
    write_bytes(output / "encoder.tflite", graph)
    if weights.resolve() != (output / weights.name).resolve():
        shutil.copyfile(weights, output / weights.name)
    files = {file: file_record(output / file) for file in ("frontend.tflite", "encoder.tflite")}
    return write_manifest(
        output,
        files,
        role="fingerprinter",
        name=name,
        version=version,
        embedding_space=embedding_space(files),
        precision=precision,
        front_end=config.front_end.to_dict(),
        encoder={
            **config.encoder.to_dict(),
            "n_parameters": encoder.count_params(),
            "n_macs": count_macs(graph),
            "output": "L2-normalise",
        },
        reference_hop_s=config.reference_hop_s,
        query_hop_s=config.query_hop_s,
        **{name: getattr(config, name) for name in names},
        training={"config": config.to_dict(), **training},
    )
