"""The encoder of a run with codes: image, codes, the transformer's states, and their mean."""

from dataclasses import replace

import keras
from keras import layers

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.codes.quantizer import Bottleneck, Codebook, Quantizer
from pretraining.codes.transformer import CodeTransformer
from pretraining.config.run import PretrainingConfig

__all__ = ["QUANTIZERS", "build_code_encoder", "clip_front_end"]

QUANTIZERS: dict[str, type[Quantizer]] = {"kmeans_codes": Codebook, "vq_codes": Bottleneck}


def build_code_encoder(config: PretrainingConfig) -> keras.Model:
    """Build the encoder with random weights.

    Returns
    -------
    keras.Model
        Input (n_batch, n_mels, n_frames, 1) float32, a window's image; output (n_batch, codes.dim) float32. Its layers
        "codes" and "transformer" take images and codes of a whole clip as well, and hold all that a run learns.
    """
    image = keras.Input((config.front_end.n_mels, config.front_end.n_frames, 1), name="log_mel")
    codes = QUANTIZERS[config.method](config.codes, config.front_end, name="codes")(image)
    n_positions = clip_front_end(config).n_frames // config.codes.slice_frames
    states = CodeTransformer(config.codes, n_positions, name="transformer")(codes)
    return keras.Model(image, layers.GlobalAveragePooling1D(name="mean_state")(states), name="encoder")


def clip_front_end(config: PretrainingConfig) -> FrontEndConfig:
    """Return the run's front end over a clip of ``objective.clip_s`` instead of a window.

    Raises
    ------
    ConfigError
        When a clip is shorter than a window or no whole number of slices.
    """
    slice_samples = config.codes.slice_frames * config.front_end.hop_samples
    n_samples = round(config.objective.clip_s * config.front_end.sample_rate_hz)
    if n_samples % slice_samples or n_samples < config.front_end.window_samples:
        message = (
            f"objective.clip_s: expected a window of {config.front_end.window_s:g} s or more, and whole slices of "
            f"{slice_samples / config.front_end.sample_rate_hz:g} s, found {config.objective.clip_s:g} s"
        )
        raise ConfigError(message)
    return replace(config.front_end, window_samples=n_samples)
