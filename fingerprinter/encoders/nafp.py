"""The neural audio fingerprinter of Chang et al. 2021 (arXiv 2010.11910), width-scalable: the papers' baseline."""

from typing import Any, Final

import keras

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import encode
from fingerprinter.encoders.norm import convolved

__all__ = ["build_nafp"]

_CHANNELS: Final = (128, 128, 256, 256, 512, 512, 1024, 1024)
_TIME_STRIDES: Final = (2, 2, 2, 2, 1, 2, 1, 2)
_HEAD_UNITS: Final = 32


def build_nafp(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build eight blocks of a 1x3 convolution over time and a 3x1 convolution over mel, each with ELU, and the head.

    Batch normalisation stands in for the paper's normalisation over whole feature maps: it folds into the convolutions,
    where the other would cost a phone one pass over every map and an int8 graph its range. An axis that is down to one
    value is not halved further, since the paper's images are larger than ours.
    """
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features: Any = image
    for index, (channels, stride) in enumerate(zip(_CHANNELS, _TIME_STRIDES, strict=True), start=1):
        n_mels, n_frames = features.shape[1], features.shape[2]
        last = index == len(_CHANNELS)
        width = config.scaled(channels, config.dim if last else 8)
        time_stride, mel_stride = min(stride, n_frames), min(2, n_mels)
        features = convolved(features, width, (1, 3), (1, time_stride), f"block{index}_time", activation="elu")
        features = convolved(features, width, (3, 1), (mel_stride, 1), f"block{index}_mel", activation="elu")
    return keras.Model(image, encode(features, config.dim, _HEAD_UNITS, "elu"), name="encoder")
