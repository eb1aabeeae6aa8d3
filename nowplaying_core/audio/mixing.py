"""Mixing at a signal-to-noise ratio, for training, evaluation and simulation: levels, loops without silence."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ

__all__ = ["SNR_BAND_HZ", "at_dbfs", "band_rms", "drop_silence", "looped", "snr_gain"]

SNR_BAND_HZ: Final = (100.0, 7000.0)
_SILENCE_BLOCK_S: Final = 0.05


def band_rms(
    samples: NDArray[np.floating],
    low_hz: float = SNR_BAND_HZ[0],
    high_hz: float = SNR_BAND_HZ[1],
    *,
    block: int = 1 << 15,
) -> float:
    """Return the RMS between two frequencies, the level that a signal-to-noise ratio compares.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.
    low_hz, high_hz : float
    block : int > 0
        Length of the transforms; ``samples.size`` for one spectrum of the whole signal, slow for minutes of sound.
    """
    if samples.size == 0:
        return 0.0
    padded = np.pad(samples, (0, -samples.size % block)).reshape(-1, block)
    frequency_hz = np.fft.rfftfreq(block, 1 / SAMPLE_RATE_HZ)
    inside = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    power = np.sum(np.abs(np.fft.rfft(padded, axis=1)[:, inside]) ** 2)
    return math.sqrt(2 * power / (block * samples.size))


def at_dbfs(samples: NDArray[np.float32], level_dbfs: float) -> NDArray[np.float32]:
    """Return samples at an RMS level in dB relative to full scale, beyond which they may go; silence stays silent."""
    rms = max(float(np.sqrt(np.mean(np.square(samples)))), 1e-9)
    return np.asarray(samples * (10 ** (level_dbfs / 20) / rms), np.float32)


def snr_gain(signal_rms: float, noise_rms: float, snr_db: float) -> np.float32:
    """Return the factor that brings noise ``snr_db`` below the signal."""
    return np.float32(signal_rms / max(noise_rms, 1e-10) * 10 ** (-snr_db / 20))


def looped(samples: NDArray[np.float32], first: int, count: int) -> NDArray[np.float32]:
    """Return so many samples of an endless loop of a recording, from sample number ``first`` on."""
    return np.take(samples, np.arange(first, first + count), mode="wrap")


def drop_silence(samples: NDArray[np.float32], below_db: float = 40.0) -> NDArray[np.float32]:
    """Return a recording without its silent 50 ms blocks, so that a loop has no gaps; all of it if all is silent.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    below_db : float
        Blocks this far below the loudest are silent.
    """
    block = round(_SILENCE_BLOCK_S * SAMPLE_RATE_HZ)
    n_blocks = max(1, samples.size // block)
    blocks = samples[: n_blocks * block].reshape(n_blocks, -1)
    power = np.square(blocks, dtype=np.float64).mean(axis=1)
    kept = blocks[power > max(float(power.max()) * 10 ** (-below_db / 10), 1e-12)]
    return np.ascontiguousarray(kept.ravel() if kept.size else samples)
