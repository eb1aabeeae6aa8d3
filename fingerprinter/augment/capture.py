"""Augmentation after the microphone: automatic gain, level, clipping, coding, and masks."""

from typing import Any, Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from fingerprinter.augment.config import AugmentConfig
from nowplaying_core.audio.codec import Codec, through_codec
from nowplaying_core.audio.mulaw import decode, encode
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ, to_float32, to_int16

__all__ = ["capture", "draw_masks"]

_GAIN_BLOCK_S: Final = 0.02
_GAIN_TIME_S: Final = 0.3
_MAX_GAIN: Final = 10.0
# Octaves count alike in music: bands are drawn on a logarithmic scale.
_MASK_BAND_HZ: Final = (160.0, 7000.0)
_MASK_SHARE: Final = 0.1
_CLICK_S: Final = 0.1
_CLICK_DECAY_S: Final = (0.0005, 0.02)
_CLICK_DB: Final = 20.0


def capture(
    samples: NDArray[np.float32], config: AugmentConfig, rng: np.random.Generator
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return a window as the phone stores it, and the drawn parameters.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At any level.
    config : AugmentConfig
    rng : numpy.random.Generator
    """
    gain_control = 0.0
    # Checked before drawing, so that older settings still give the same batches.
    if config.p_gain_control and rng.random() < config.p_gain_control:
        gain_control = float(rng.uniform(0.3, 1.0))
        samples = samples * _levelling_gain(samples, gain_control)
    click_s = _add_clicks(samples, rng) if config.p_clicks and rng.random() < config.p_clicks else ()
    level_dbfs = float(rng.uniform(*config.level_dbfs))
    samples = samples * np.float32(10.0 ** (level_dbfs / 20.0) / (np.sqrt(np.mean(samples**2)) + 1e-9))
    clip_fraction = 0.0
    if rng.random() < config.p_clip:
        clip_fraction = float(rng.uniform(0.0, 0.05))
        limit = np.quantile(np.abs(samples), 1.0 - clip_fraction)
        samples = np.clip(samples, -limit, limit)
    call = _draw_call(config, rng)
    codec: str = call or ""
    if call:
        samples = through_codec(np.clip(samples, -1.0, 1.0), call, float(rng.uniform(0.5, 1.0)))
    elif rng.random() < config.p_mulaw:
        codec = "mulaw"
        samples = to_float32(decode(encode(to_int16(samples))))
    overhang_s = _overhang(samples, config, rng) if config.p_overhang and rng.random() < config.p_overhang else 0.0
    return samples, {
        "level_dbfs": level_dbfs,
        "gain_control": gain_control,
        "click_s": click_s,
        "clip_fraction": clip_fraction,
        "codec": codec,
        "overhang_s": overhang_s,
    }


def draw_masks(
    config: AugmentConfig, window_s: float, rng: np.random.Generator
) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]:
    """Draw bands (from, to, in Hz) and moments (from, to, in seconds of the window) to mask."""
    if not config.p_masks or rng.random() >= config.p_masks:
        return (), ()
    low, high = np.log(_MASK_BAND_HZ)
    bands = [_part(rng, float(low), float(high)) for _ in range(2)]
    moments = [_part(rng, 0.0, window_s) for _ in range(2)]
    return tuple((float(np.exp(a)), float(np.exp(b))) for a, b in bands), tuple(moments)


def _draw_call(config: AugmentConfig, rng: np.random.Generator) -> Codec | None:
    if config.p_opus and rng.random() < config.p_opus:
        return "opus"
    if config.p_gsm and rng.random() < config.p_gsm:
        return "gsm"
    return None


def _overhang(samples: NDArray[np.float32], config: AugmentConfig, rng: np.random.Generator) -> float:
    """Silence one end of the window, in place; return its length, negative at the beginning."""
    n = round(float(rng.uniform(0.0, config.max_overhang)) * samples.size)
    if rng.random() < 0.5:
        samples[:n] = 0.0
        return -n / SAMPLE_RATE_HZ
    samples[samples.size - n :] = 0.0
    return n / SAMPLE_RATE_HZ


def _part(rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    width = float(rng.uniform(0.0, _MASK_SHARE)) * (high - low)
    start = float(rng.uniform(low, high - width))
    return start, start + width


def _add_clicks(samples: NDArray[np.float32], rng: np.random.Generator) -> tuple[float, ...]:
    """Add bursts of noise that decay within milliseconds, in place; return when they begin."""
    level = np.sqrt(np.mean(samples**2))
    starts = []
    for _ in range(int(rng.integers(1, 4))):
        start = int(rng.integers(samples.size))
        n = min(samples.size - start, round(_CLICK_S * SAMPLE_RATE_HZ))
        decay_s = float(np.exp(rng.uniform(*np.log(_CLICK_DECAY_S))))
        burst = rng.standard_normal(n) * np.exp(-np.arange(n) / (decay_s * SAMPLE_RATE_HZ))
        samples[start : start + n] += (level * 10.0 ** (rng.uniform(0.0, _CLICK_DB) / 20.0) * burst).astype(np.float32)
        starts.append(start / SAMPLE_RATE_HZ)
    return tuple(starts)


def _levelling_gain(samples: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return the gain at every sample of a control that follows the level over 0.3 s."""
    block = round(_GAIN_BLOCK_S * SAMPLE_RATE_HZ)
    n_blocks = max(1, samples.size // block)
    power = np.square(samples[: n_blocks * block], dtype=np.float64).reshape(n_blocks, -1).mean(axis=1)
    smooth = np.sqrt(scipy.ndimage.uniform_filter1d(power, max(1, round(_GAIN_TIME_S / _GAIN_BLOCK_S)), mode="nearest"))
    mean = np.sqrt(power.mean()) + 1e-9
    gain = np.clip((mean / (smooth + 1e-3 * mean)) ** strength, 1 / _MAX_GAIN, _MAX_GAIN)
    drawn: NDArray[np.float32] = np.interp(np.arange(samples.size), (np.arange(n_blocks) + 0.5) * block, gain).astype(
        np.float32
    )
    return drawn
