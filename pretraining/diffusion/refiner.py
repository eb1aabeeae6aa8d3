"""The refiner: a small U-Net over squares of a log-mel image, conditioned on how noisy the image is."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.decoder import DecoderConfig

__all__ = ["build_refiner", "time_features"]

_FASTEST = 1000.0  # radians of the fastest sine from t = 0 to 1, as of diffusion models with a thousand steps
_FULL_CHANNELS = 8


def build_refiner(config: DecoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build the refiner.

    Returns
    -------
    keras.Model
        Of a noisy image and a first guess, (n_batch, n_mels, n_frames, 1) each, and times, (n_batch, 1); gives an image
        of the same shape.

    Raises
    ------
    ConfigError
        When the image is no multiple of the smallest level's square.
    """
    square = config.patch * 2 ** (len(config.widths) - 1)
    if front_end.n_mels % square or front_end.n_frames % square:
        message = (
            f"a refiner of patches of {config.patch} and {len(config.widths)} levels needs images in multiples of "
        )
        raise ConfigError(message + f"{square}: found {front_end.n_mels} x {front_end.n_frames}")
    shape = (front_end.n_mels, front_end.n_frames, 1)
    seen, first = keras.Input(shape, name="noisy"), keras.Input(shape, name="first")
    time = keras.Input((1,), name="time")
    condition = layers.Dense(2 * config.n_time_features, activation="gelu", name="condition")(
        time_features(time, config.n_time_features)
    )
    features = layers.Conv2D(config.widths[0], config.patch, strides=config.patch, name="squares")(
        layers.Concatenate(name="both")([seen, first])
    )
    skipped = []
    for level, width in enumerate(config.widths):
        if level:
            features = layers.Conv2D(width, 2, strides=2, name=f"down{level}")(features)
        features = _block(features, condition, width, f"down{level}")
        skipped.append(features)
    features = _block(features, condition, config.widths[-1], "middle")
    for level, width in reversed(list(enumerate(config.widths))):
        features = layers.Concatenate(name=f"join{level}")([features, skipped.pop()])
        features = _block(layers.Conv2D(width, 1, name=f"joined{level}")(features), condition, width, f"up{level}")
        if level:
            features = layers.Conv2DTranspose(config.widths[level - 1], 2, strides=2, name=f"up{level}")(features)
    features = layers.Conv2DTranspose(_FULL_CHANNELS, config.patch, strides=config.patch, name="whole")(features)
    image = layers.Conv2D(1, 3, padding="same", name="smooth")(layers.Activation("gelu", name="full")(features))
    return keras.Model([seen, first, time], image, name="refiner")


def time_features(time: Any, n_features: int) -> Any:
    """Return sines and cosines of times, (n_batch, 1) to (n_batch, n_features)."""
    rates = np.exp(np.linspace(0.0, math.log(_FASTEST), n_features // 2)).astype(np.float32)
    angles = ops.multiply(time, rates[None])
    return layers.Concatenate()([ops.sin(angles), ops.cos(angles)])


def _block(features: Any, condition: Any, width: int, name: str) -> Any:
    """Return features plus two convolutions of them, normalised and scaled and shifted by the embedding of the time."""
    hidden = layers.LayerNormalization(name=f"{name}_norm1")(features)
    hidden = layers.Conv2D(width, 3, padding="same", name=f"{name}_conv1")(layers.Activation("gelu")(hidden))
    hidden = layers.LayerNormalization(center=False, scale=False, name=f"{name}_norm2")(hidden)
    scale = layers.Reshape((1, 1, width))(layers.Dense(width, name=f"{name}_scale")(condition))
    shift = layers.Reshape((1, 1, width))(layers.Dense(width, name=f"{name}_shift")(condition))
    hidden = layers.Activation("gelu")(hidden * (scale + 1.0) + shift)
    # A block begins as the identity: deep sums of blocks then train from the first step.
    last = layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros", name=f"{name}_conv2")
    return layers.Add(name=f"{name}_sum")([features, last(hidden)])
