"""The model that is trained: front end, encoder and objective, its initial weights, and its teacher."""

import logging
import warnings
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.encoders.fake_quant import quantization_aware
from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.objectives.objective_layer import ObjectiveLayer
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.loop import compile_for
from nowplaying_core.errors import ConfigError

__all__ = ["WEIGHTS_NAME", "Teacher", "build_trainer", "build_training_model", "load_matching_weights", "predict"]

WEIGHTS_NAME = "encoder.weights.h5"
_log = logging.getLogger(__name__)
_BATCH = 256


def build_training_model(config: TrainingConfig) -> keras.Model:
    """Return the model from windows of samples to unit vectors, uncompiled; its layer "encoder" is exported."""
    samples = keras.Input((config.front_end.window_samples,), name="samples")
    image = LogMel(config.front_end, name="log_mel")(samples)
    encoder = build_encoder(config.encoder, config.front_end)
    if config.quantization_aware:
        encoder = quantization_aware(encoder)
    return keras.Model(samples, encoder(image), name="fingerprinter")


def build_trainer(config: TrainingConfig, model: keras.Model) -> keras.Model:
    """Return the model with its objective and its optimizer.

    Its inputs are windows, shape (2 n_pairs, window_samples), the songs that they come from, (2 n_pairs, 1), and, with
    a ``distillation_weight``, a teacher's embeddings, (2 n_pairs, dim).
    """
    inputs = [model.inputs[0], keras.Input((1,), name="songs")]
    if config.objective.distillation_weight:
        inputs.append(keras.Input((config.encoder.dim,), name="taught"))
    embeddings = ObjectiveLayer(config.objective, name="objective")(model.outputs[0], *inputs[1:])
    trainer = keras.Model(inputs, embeddings, name="trainer")
    compile_for(trainer, config, average_decay=config.average_decay)
    return trainer


def load_matching_weights(encoder: keras.Model, path: Path) -> int:
    """Load those layers of another run's encoder that match, and return their number.

    Raises
    ------
    ConfigError
        When the file is no encoder's, or not even the first layer fits.
    """
    layers = [layer for layer in encoder.layers if layer.weights]
    before = [layer.get_weights()[0].copy() for layer in layers]
    message = f"{path}: expected the weights of an encoder with the same convolutions"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of each layer that does not fit
            encoder.load_weights(path, skip_mismatch=True)
    except (OSError, ValueError, KeyError) as error:
        message += f" ({error})"
        raise ConfigError(message) from error
    fits = [not np.array_equal(old, layer.get_weights()[0]) for old, layer in zip(before, layers, strict=True)]
    if not fits[0]:
        raise ConfigError(message)
    _log.info("%d of %d layers from %s", sum(fits), len(layers), path)
    return sum(fits)


def predict(model: keras.Model, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the embeddings of windows, shape (n, dim), computed in batches."""
    parts = [np.asarray(model.predict_on_batch(samples[at : at + _BATCH])) for at in range(0, len(samples), _BATCH)]
    return np.concatenate(parts).astype(np.float32)


class Teacher:
    """The model of another run, whose embeddings of clean windows a student learns.

    Parameters
    ----------
    run_dir : Path
        Of a finished run, with ``config.json`` and ``encoder.weights.h5``.
    student : TrainingConfig
        Must have the same window and dimension; front end and encoder may differ.

    Raises
    ------
    ConfigError
        When they differ, or the run is not there.
    """

    def __init__(self, run_dir: Path, student: TrainingConfig) -> None:
        config = TrainingConfig.from_json(run_dir / "config.json")
        own, theirs = ((c.front_end.window_samples, c.encoder.dim) for c in (student, config))
        if own != theirs:
            message = f"{run_dir}: expected a teacher of (window_samples, dim) = {own}, found {theirs}"
            raise ConfigError(message)
        self._model = build_training_model(config)
        weights = run_dir / WEIGHTS_NAME
        try:
            self._model.get_layer("encoder").load_weights(weights)
        except (OSError, ValueError, KeyError) as error:
            message = f"{weights}: expected the weights of the run's encoder ({error}); let its training end first"
            raise ConfigError(message) from error

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the target of both views of each pair, shape (2 n_pairs, dim): the clean view's embedding."""
        return np.tile(predict(self._model, windows[: len(windows) // 2]), (2, 1))
