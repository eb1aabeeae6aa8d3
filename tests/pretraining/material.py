"""Tiny settings for tests of methods and loops: images of 32 x 32 and a fraction of the weights."""

from fingerprinter.augment.config import AugmentConfig
from fingerprinter.config import FrontEndConfig
from pretraining.config import EncoderConfig, MethodConfig, PretrainingConfig
from pretraining.diffusion.config import DecoderConfig

__all__ = ["small_config", "small_decoder"]


def small_config(method: str, **changes: object) -> PretrainingConfig:
    settings = {
        "n_steps": 4,
        "clips_per_step": 6,
        "warmup_steps": 1,
        "checkpoint_every": 2,
        "past_s": 0.1,
        "n_simulated_rooms": 4,
        "front_end": FrontEndConfig(window_samples=5_120, fft_samples=320, hop_samples=160, n_mels=32),
        "encoder": EncoderConfig(channels=(4, 8, 8), dim=16),
        "objective": MethodConfig(clip_s=1.5, near_s=0.1, units=16),
        "augment": AugmentConfig(p_gap=0.0),
    }
    return PretrainingConfig(method=method, **{**settings, **changes})


def small_decoder(**changes: object) -> DecoderConfig:
    settings = {"first_channels": (4, 8), "widths": (8,), "n_time_features": 8, "critic_channels": (4, 8)}
    return DecoderConfig(**{**settings, "perceptual_weight": 0.0, **changes})
