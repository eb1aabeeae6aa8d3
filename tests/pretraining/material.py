"""Tiny settings for tests of methods and loops: images of 32 x 32 and a fraction of the weights."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fingerprinter.augment.config import AugmentConfig
from fingerprinter.config import FrontEndConfig
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import EncoderConfig, MethodConfig, PretrainingConfig

__all__ = ["interrupted_at", "small_config", "small_decoder"]


class InterruptedRunError(Exception):
    pass


@contextmanager
def interrupted_at(text: str, module: str, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Interrupt a run, and expect the interruption, where a module logs a text."""

    def interrupt(record: logging.LogRecord) -> bool:
        if text in record.getMessage():
            raise InterruptedRunError
        return True

    caplog.set_level(logging.INFO)
    logger = logging.getLogger(module)
    logger.addFilter(interrupt)
    try:
        with pytest.raises(InterruptedRunError):
            yield
    finally:
        logger.removeFilter(interrupt)


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
