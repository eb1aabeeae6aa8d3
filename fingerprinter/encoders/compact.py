"""The encoder that ships: strided 1x3 and 3x1 convolutions, cheap on a phone and easy to quantize."""

import keras

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import encode
from fingerprinter.encoders.norm import convolved

__all__ = ["build_compact"]


def build_compact(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build the encoder of one log-mel image.

    A 3x3 convolution of stride 2, then pairs of a 1x3 convolution over time and a 3x1 convolution over mel, each of
    stride 2 along its axis, all with batch normalisation (folded at export) and ReLU; then the divide-and-encode head
    and unit length.
    """
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = convolved(image, config.channels[0], (3, 3), (2, 2), "stem")
    for index, channels in enumerate(config.channels[1:], start=1):
        features = convolved(features, channels, (1, 3), (1, 2), f"block{index}_time")
        features = convolved(features, channels, (3, 1), (2, 1), f"block{index}_mel")
    return keras.Model(image, encode(features, config.dim, config.branch_units), name="encoder")
