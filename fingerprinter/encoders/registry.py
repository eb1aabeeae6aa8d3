"""Encoders by name."""

from collections.abc import Callable

import keras

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.attention import build_attention
from fingerprinter.encoders.audio2vec import build_audio2vec
from fingerprinter.encoders.compact import build_compact
from fingerprinter.encoders.nafp import build_nafp
from fingerprinter.encoders.now_playing import build_now_playing

__all__ = ["ENCODERS", "build_encoder"]

ENCODERS: dict[str, Callable[[EncoderConfig, FrontEndConfig], keras.Model]] = {
    "compact": build_compact,
    "nafp": build_nafp,
    "now_playing": build_now_playing,
    "attention": build_attention,
    "audio2vec": build_audio2vec,
}


def build_encoder(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build an encoder with random weights.

    Returns
    -------
    keras.Model
        Input (n_batch, n_mels, n_frames, 1) float32; output (n_batch, dim) float32, unit rows. Its layer ``head`` gives
        the rows before they are scaled, which is what is exported.
    """
    return ENCODERS[config.name](config, front_end)
