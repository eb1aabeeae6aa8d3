"""The fingerprinter of Gfeller et al. 2017 (arXiv 1711.10958), as far as its text tells: a reconstruction of the idea.

The text gives a stack of convolutions, a two-level divide-and-encode block, and ELU with batch normalisation everywhere
but in the last layer; kernels, channels and strides are in a figure only. Separable convolutions that halve both axes
stand in for them here, as in the detector of the same paper.
"""

from typing import Any, Final

import keras
from keras import layers

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import encode
from fingerprinter.encoders.norm import activated, convolved

__all__ = ["build_now_playing"]

_CHANNELS: Final = (64, 128, 256, 512, 512)
_GROUPS: Final = 8  # branches of the first level; each feeds dim / 8 branches of the second


def build_now_playing(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build a 3x3 stem, separable 3x3 convolutions of stride 2, and two levels of divide and encode.

    The first level splits the features into groups of channels and encodes each by a dense layer of its own (a grouped
    1x1 convolution over what is left of time and mel); the second is the head that all encoders share.
    """
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = convolved(image, config.scaled(_CHANNELS[0]), 3, 2, "stem", activation="elu")
    for index, channels in enumerate(_CHANNELS[1:], start=1):
        separable = layers.SeparableConv2D(
            config.scaled(channels), 3, strides=2, padding="same", use_bias=False, name=f"block{index}_conv"
        )
        features = activated(separable(features), f"block{index}", "elu")
    groups = [
        layers.Dense(config.dim, use_bias=False, name=f"first_level_{group}")(flat)
        for group, flat in enumerate(_split(features))
    ]
    first_level = activated(layers.Concatenate(axis=-1, name="first_level")(groups), "first_level", "elu")
    return keras.Model(image, encode(first_level, config.dim, config.branch_units, "elu"), name="encoder")


def _split(features: Any) -> list[Any]:
    """Return equal groups of channels, each with all of its mel bands and frames in a row: (n_batch, 1, 1, size)."""
    width = features.shape[-1] // _GROUPS
    groups = []
    for group in range(_GROUPS):
        part = features[..., group * width : (group + 1) * width]
        groups.append(layers.Reshape((1, 1, -1), name=f"group_{group}")(part))
    return groups
