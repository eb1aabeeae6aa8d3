"""From a finished pretraining run to a model folder: the front end in float, the encoder in int8."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from export.fingerprinter import front_end_model
from export.macs import count_macs
from export.manifest import write_manifest
from export.provenance import describe_training
from export.tflite import to_float, to_int8
from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.fingerprint import embedding_space
from nowplaying_core.artifacts import file_record, write_bytes
from nowplaying_core.audio.corpus import Group
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, ParityError
from nowplaying_core.runtime import TfliteModel
from pretraining.codes.encoder import QUANTIZERS
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME, embed, load_encoder
from pretraining.sounds import clip_sampler

__all__ = ["LEAST_COSINE", "export_audio_encoder", "publish_audio_encoder", "sample_images"]

LEAST_COSINE: Final = 0.95
"""Of int8 to float embeddings, both less the float ones' mean: what all sounds have in common would flatter it."""

_N_IMAGES: Final = 256
_CALIBRATION, _COMPARISON = 2**31, 2**31 + 1  # no training step has these numbers


def publish_audio_encoder(
    run_dir: Path,
    output: Path,
    sources: TrainingSources,
    *,
    name: str,
    version: str = "1.0.0",
) -> Path:
    """Convert a run's encoder and write its model folder, the float weights included.

    Parameters
    ----------
    run_dir : Path
        Of ``nowplaying pretrain``.
    output : Path
        Model folder to write.
    sources : TrainingSources
        As the run was given; sets the int8 ranges.
    name, version : str

    Raises
    ------
    ConfigError
        When the run is not finished, was given other recordings, or learns codes or bits, which have no int8 form.
    ParityError
        When the int8 encoder is not near its float form; nothing is written then.
    """
    config, encoder = load_encoder(run_dir)
    if config.method in QUANTIZERS or len(encoder.input_shape) != 4:
        message = f"{run_dir}: expected an encoder of convolutions, found {config.method}, which has no int8 form"
        raise ConfigError(message)
    # Without rooms: pretraining simulates its own.
    groups: tuple[Group, ...] = ("music", "noise", "speech")
    training = describe_training(run_dir, sources, groups=groups)
    images = sample_images(config, sources)
    export_audio_encoder(config, encoder, images, output, name=name, version=version, training=training)
    shutil.copyfile(run_dir / WEIGHTS_NAME, output / WEIGHTS_NAME)
    return output


def sample_images(
    config: PretrainingConfig, sources: TrainingSources
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the images that set the int8 ranges, and others to compare on: half of them degraded, always the same."""
    clips, log_mel = clip_sampler(config, sources), LogMel(config.front_end)
    offsets = np.zeros((_N_IMAGES // 2, 2), np.int64)
    drawn = [
        clips.slices(offsets, np.random.default_rng([config.seed, stream]), degraded=(1,))
        for stream in (_CALIBRATION, _COMPARISON)
    ]
    first, second = (np.asarray(log_mel(slices.reshape(_N_IMAGES, -1)), np.float32) for slices in drawn)
    return first, second


def export_audio_encoder(
    config: PretrainingConfig,
    encoder: keras.Model,
    images: tuple[NDArray[np.float32], NDArray[np.float32]],
    output: Path,
    *,
    name: str,
    version: str,
    training: Mapping[str, Any],
) -> Path:
    """Write a model folder for :class:`pretraining.tflite_encoder.TfliteEncoder`: front end in float, encoder in int8.

    Parameters
    ----------
    config : PretrainingConfig
        Of the run that the encoder comes from.
    encoder : keras.Model
    images : pair of ndarray of float32, shape (n, n_mels, n_frames, 1)
        That set the int8 ranges, and that int8 and float are compared on.
    output : Path
    name, version : str
    training : mapping
        Data and licences: recorded in the manifest.

    Raises
    ------
    ParityError
        When the mean cosine is below ``LEAST_COSINE``.
    """
    calibration, others = images
    graphs = {
        "frontend.tflite": to_float(front_end_model(config.front_end)),
        "encoder.tflite": to_int8(encoder, calibration, output="float32"),
    }
    parity = _parity(encoder, graphs["encoder.tflite"], others)
    output.mkdir(parents=True, exist_ok=True)
    for file_name, content in graphs.items():
        write_bytes(output / file_name, content)
    files = {file_name: file_record(output / file_name) for file_name in graphs}
    return write_manifest(
        output,
        files,
        role="audio_encoder",
        name=name,
        version=version,
        embedding_space=embedding_space(files),
        precision="int8",
        front_end=config.front_end.to_dict(),
        encoder={
            "channels": list(config.encoder.channels),
            "dim": config.encoder.dim,
            "n_parameters": encoder.count_params(),
            "n_macs": count_macs(graphs["encoder.tflite"]),
        },
        parity=parity,
        training={"config": config.to_dict(), **training},
    )


def _parity(encoder: keras.Model, graph: bytes, images: NDArray[np.float32]) -> dict[str, float]:
    """Return how near the int8 embeddings are to float ones; ParityError when they are not."""
    wanted = embed(encoder, images)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.tflite"
        path.write_bytes(graph)
        model = TfliteModel(path)
        found = np.concatenate([model.run(model.input.quantize(image[None])) for image in images])
    centre = wanted.mean(axis=0)
    wanted, found = wanted - centre, found - centre
    cosines = np.sum(wanted * found, axis=1) / (np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1) + 1e-12)
    parity = {"n": len(images), "mean_cosine": float(cosines.mean()), "p5_cosine": float(np.quantile(cosines, 0.05))}
    if parity["mean_cosine"] < LEAST_COSINE:
        message = f"int8 encoder: expected a mean cosine of at least {LEAST_COSINE} to its float form, found "
        raise ParityError(message + f"{parity['mean_cosine']:.3f}; train it longer or keep it in float")
    return parity
