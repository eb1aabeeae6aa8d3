"""The small encoder: about 117,000 weights from 96 x 64 log-mel to 128 numbers, in the shape that int8 keeps.

After Tagliasacchi et al. 2019 (arXiv 1905.11796), of which the abstract is known and the layer table from memory: a
reconstruction of the idea. "About 125 k parameters" and 3x3 convolutions taken apart are what is said of it elsewhere.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fingerprinter.encoders.audio2vec import audio2vec_features
from nowplaying_core.errors import ConfigError
from pretraining.bits.head import build_head
from pretraining.codes.encoder import QUANTIZERS, build_code_encoder
from pretraining.config.run import PretrainingConfig

__all__ = ["WEIGHTS_NAME", "build_encoder", "embed", "load_encoder"]

WEIGHTS_NAME = "encoder.weights.h5"
_BATCH = 256


def build_encoder(config: PretrainingConfig) -> keras.Model:
    """Build the encoder with random weights.

    Returns
    -------
    keras.Model
        Input (n_batch, n_mels, n_frames, 1) float32, a log-mel image; output (n_batch, dim) float32. Convolutions of
        ``fingerprinter.encoders.audio2vec``, the greatest value of each channel (or all, not ``pooled``), and one dense
        layer; of a method with codes :func:`~pretraining.codes.encoder.build_code_encoder`, and of ``binary_codes``
        :func:`~pretraining.bits.head.build_head`, which takes fingerprints.
    """
    if config.method in QUANTIZERS:
        return build_code_encoder(config)
    if config.method == "binary_codes":
        return build_head(config.bits)
    image = keras.Input((config.front_end.n_mels, config.front_end.n_frames, 1), name="log_mel")
    pool = layers.GlobalMaxPooling2D(name="pooled") if config.encoder.pooled else layers.Flatten(name="flat")
    pooled = pool(audio2vec_features(image, config.encoder.channels))
    return keras.Model(image, layers.Dense(config.encoder.dim, name="embedding")(pooled), name="encoder")


def load_encoder(run_dir: Path) -> tuple[PretrainingConfig, keras.Model]:
    """Return a finished run's settings and its encoder.

    Raises
    ------
    ConfigError
        When the folder is no run's, or the run has not ended.
    """
    config = PretrainingConfig.from_json(run_dir / "config.json")
    encoder = build_encoder(config)
    weights = run_dir / WEIGHTS_NAME
    try:
        encoder.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        message = f"{weights}: expected the weights of the run's encoder ({error}); let its pretraining end first"
        raise ConfigError(message) from error
    return config, encoder


def embed(encoder: keras.Model, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the embeddings of log-mel images, shape (n, dim), computed in batches."""
    parts = [np.asarray(encoder.predict_on_batch(images[at : at + _BATCH])) for at in range(0, len(images), _BATCH)]
    return np.concatenate(parts).astype(np.float32)
