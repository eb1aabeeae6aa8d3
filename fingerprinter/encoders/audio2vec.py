"""The Audio2Vec encoder under the fingerprint's head, so that a fingerprinter can start from a pretrained encoder.

A reconstruction after Tagliasacchi et al. 2019 (arXiv 1905.11796).
"""

from collections.abc import Sequence
from typing import Any

import keras

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import encode
from fingerprinter.encoders.norm import convolved

__all__ = ["audio2vec_features", "build_audio2vec"]


def audio2vec_features(image: Any, channels: Sequence[int]) -> Any:
    """Return the features of log-mel images: pairs of a 3x1 convolution over mel and a 1x3 one over time.

    Each convolution halves its axis and is normalised and activated by ReLU: 64 mel bands and 96 frames through five
    pairs leave 2 x 3 positions.

    Parameters
    ----------
    image : symbolic tensor, shape (n_batch, n_mels, n_frames, 1)
    channels : sequence of int
        Of each pair.
    """
    features = image
    for index, width in enumerate(channels, start=1):
        features = convolved(features, width, (3, 1), (2, 1), f"block{index}_mel")
        features = convolved(features, width, (1, 3), (1, 2), f"block{index}_time")
    return features


def build_audio2vec(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build the convolutions and the divide-and-encode head of one log-mel image."""
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = audio2vec_features(image, config.channels)
    return keras.Model(image, encode(features, config.dim, config.branch_units), name="encoder")
