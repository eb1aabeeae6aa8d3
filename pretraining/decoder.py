"""From embeddings back to log-mel images: the encoder's convolutions mirrored."""

import math
from typing import Any

import keras
from keras import layers

from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.norm import activated
from nowplaying_core.errors import ConfigError
from pretraining.config.run import EncoderConfig

__all__ = ["build_decoder"]


def build_decoder(
    encoder: EncoderConfig, front_end: FrontEndConfig, *, n_numbers: int, n_images: int, normalised: bool = True
) -> keras.Model:
    """Build a decoder of transposed 1x3 and 3x1 convolutions, each doubling its axis.

    Parameters
    ----------
    encoder : EncoderConfig
        Whose channels are mirrored.
    front_end : FrontEndConfig
    n_numbers : int
        Of the input, (n_batch, n_numbers).
    n_images : int
        Of the output, (n_batch, n_mels, n_frames, n_images), in which neighbouring images share all but the last layer.
    normalised : bool
        Over a batch, after each convolution but the last.

    Raises
    ------
    ConfigError
        When the image is no multiple of what the blocks halve it to.
    """
    factor = 2 ** len(encoder.channels)
    if front_end.n_mels % factor or front_end.n_frames % factor:
        message = f"a decoder of {len(encoder.channels)} blocks needs images in multiples of {factor}: found "
        raise ConfigError(message + f"{front_end.n_mels} x {front_end.n_frames}")
    small = (front_end.n_mels // factor, front_end.n_frames // factor, encoder.channels[-1])
    numbers = keras.Input((n_numbers,), name="embedding")
    features = layers.Reshape(small, name="unpooled")(layers.Dense(math.prod(small), name="unpool")(numbers))

    def ended(features: Any, name: str) -> Any:
        return activated(features, name, "relu") if normalised else layers.ReLU(name=f"{name}_relu")(features)

    for index, channels in enumerate((*reversed(encoder.channels[:-1]), n_images), start=1):
        last = index == len(encoder.channels)
        features = layers.Conv2DTranspose(
            channels, (1, 3), strides=(1, 2), padding="same", use_bias=not normalised, name=f"block{index}_time_conv"
        )(features)
        features = ended(features, f"block{index}_time")
        features = layers.Conv2DTranspose(
            channels,
            (3, 1),
            strides=(2, 1),
            padding="same",
            use_bias=last or not normalised,
            name=f"block{index}_mel_conv",
        )(features)
        features = features if last else ended(features, f"block{index}_mel")
    return keras.Model(numbers, features, name="decoder")
