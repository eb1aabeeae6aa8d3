"""Samples: the one format of the project, its int16 form, its level and its identity."""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLE_RATE_HZ", "rms_dbfs", "to_float32", "to_int16", "track_id"]

SAMPLE_RATE_HZ = 16_000
_FULL_SCALE = 32_767
_SILENCE_DBFS = -120.0


def to_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return samples as 16-bit integers, rounded to nearest and saturated.

    Parameters
    ----------
    samples : ndarray of float, any shape, nominally in [-1, 1]

    Returns
    -------
    ndarray of int16, same shape, in [-32767, 32767]
    """
    scaled = np.rint(np.asarray(samples, dtype=np.float32) * np.float32(_FULL_SCALE))
    pcm: NDArray[np.int16] = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE).astype(np.int16)
    return pcm


def to_float32(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return 16-bit integers as float32 in [-1, 1], so that ``to_int16`` gives the same integers back.

    Parameters
    ----------
    pcm : ndarray of int16, any shape
    """
    scaled: NDArray[np.float32] = pcm.astype(np.float32) / np.float32(_FULL_SCALE)
    return np.maximum(scaled, np.float32(-1.0), out=scaled)


def track_id(samples: NDArray[np.float32]) -> str:
    """Return a recording's identity: it depends on the decoded sound alone, not on tags, name or container.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), mono at 16 kHz

    Returns
    -------
    str
        The first 16 hexadecimal digits of the SHA-256 of the little-endian int16 PCM.
    """
    return hashlib.sha256(to_int16(samples).astype("<i2").tobytes()).hexdigest()[:16]


def rms_dbfs(samples: NDArray[np.floating]) -> float:
    """Return the root-mean-square level in dB relative to full scale, at least -120 (also for no samples).

    Parameters
    ----------
    samples : ndarray of float, in [-1, 1]
    """
    if samples.size == 0:
        return _SILENCE_DBFS
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(_SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else _SILENCE_DBFS
