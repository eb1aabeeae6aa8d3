"""The same fingerprinter with its encoder in float: the reference for int8, and a variant for phones."""

import shutil
from pathlib import Path
from typing import Any, Final, Literal

import keras

from export.fingerprinter import raw_encoder
from export.tflite import to_float
from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.fingerprint import embedding_space
from nowplaying_core.artifacts import file_record, write_bytes, write_json
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["ENCODER_WEIGHTS", "front_end_config", "rebuilt_encoder", "write_float_reference"]

ENCODER_WEIGHTS: Final = "encoder.weights.h5"


def front_end_config(manifest: dict[str, Any]) -> FrontEndConfig:
    """Return the front end's settings, as a fingerprinter's manifest has them."""
    return FrontEndConfig(**manifest["front_end"])


def rebuilt_encoder(manifest: dict[str, Any], weights: Path) -> keras.Model:
    """Return the trained encoder, with unit rows, from a manifest and the float weights.

    Raises
    ------
    CorruptArtifactError
        When the weights are missing or of another network.
    """
    known = EncoderConfig.__dataclass_fields__
    settings = {name: value for name, value in manifest["encoder"].items() if name in known}
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    encoder = build_encoder(EncoderConfig(**settings), front_end_config(manifest))
    try:
        encoder.load_weights(weights)
    except (OSError, ValueError) as error:
        message = f"{weights}: expected the float weights of {manifest['name']} ({error}); restore the file"
        raise CorruptArtifactError(message) from error
    return encoder


def write_float_reference(
    model: ModelFolder, weights: Path, output: Path, *, precision: Literal["float16", "float32"]
) -> ModelFolder:
    """Write a model folder that differs from a fingerprinter in the encoder's arithmetic alone.

    Parameters
    ----------
    model : ModelFolder
    weights : Path
        ``encoder.weights.h5`` of the same network.
    output : Path
        Made here.
    precision : {"float16", "float32"}
        Of the stored weights; both compute in float32 where the processor has nothing smaller.

    Returns
    -------
    ModelFolder
        It has an embedding space of its own, as every pair of graphs.
    """
    output.mkdir(parents=True)
    for name in model.manifest["files"]:
        if name != "encoder.tflite":
            shutil.copyfile(model.file(name), output / name)
    graph = to_float(raw_encoder(rebuilt_encoder(model.manifest, weights)), half=precision == "float16")
    write_bytes(output / "encoder.tflite", graph)
    manifest, encoder = model.manifest, output / "encoder.tflite"
    files = {**manifest["files"], encoder.name: file_record(encoder)}
    changes = {
        "files": files,
        "tensors": {**manifest["tensors"], encoder.name: TfliteModel(encoder).tensors()},
        "precision": precision,
        "embedding_space": embedding_space(files),
    }
    write_json(output / "manifest.json", {**manifest, **changes})
    return ModelFolder.open(output, role="fingerprinter")
