"""Acoustics between a source and the phone: distance and walls, a room's echo, noise at a stated level."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio import SAMPLE_RATE_HZ, rms_dbfs
from nowplaying_core.audio.mixing import SNR_BAND_HZ, looped
from nowplaying_core.errors import ConfigError

__all__ = ["band_level_dbfs", "excerpt", "fade", "from_another_room", "low_pass", "room_response"]

Samples = NDArray[np.float32]
_T60_S, _DIRECT_SHARE = 0.5, 0.3  # of another room


def band_level_dbfs(samples: Samples) -> float:
    """Return the RMS level between 100 and 7000 Hz: the level that signal-to-noise ratios are counted with."""
    sections = signal.butter(4, SNR_BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return rms_dbfs(signal.sosfilt(sections, samples))


def low_pass(samples: Samples, cutoff_hz: float) -> Samples:
    """Return samples without the frequencies above a cut-off (12 dB per octave, as a wall or a far loudspeaker).

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    cutoff_hz : float in (0, 8000)
    """
    if not 0 < cutoff_hz < SAMPLE_RATE_HZ / 2:
        message = f"low-pass: expected a cut-off between 0 and {SAMPLE_RATE_HZ // 2} Hz, found {cutoff_hz}"
        raise ConfigError(message)
    sections = signal.butter(2, cutoff_hz, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    filtered: Samples = signal.sosfilt(sections, samples).astype(np.float32)
    return filtered


def room_response(t60_s: float, direct_share: float, rng: np.random.Generator) -> Samples:
    """Draw a room's impulse response: a direct sound and a noise tail that falls by 60 dB in ``t60_s``.

    Parameters
    ----------
    t60_s : float > 0, seconds
        Reverberation time.
    direct_share : float in [0, 1]
        Share of the energy that arrives directly; none of it from another room.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (round(t60_s * 16000),)
        Of unit energy.
    """
    if not t60_s > 0 or not 0 <= direct_share <= 1:
        message = f"room: expected t60_s > 0 and direct_share in [0, 1], found {t60_s} and {direct_share}"
        raise ConfigError(message)
    n_samples = max(2, round(t60_s * SAMPLE_RATE_HZ))
    tail = rng.standard_normal(n_samples) * 10.0 ** (-3.0 * np.arange(n_samples) / n_samples)
    tail[0] = 0.0
    tail *= np.sqrt((1.0 - direct_share) / np.sum(tail**2))
    tail[0] = np.sqrt(direct_share)
    return tail.astype(np.float32)


def from_another_room(samples: Samples, rng: np.random.Generator, *, cutoff_hz: float) -> Samples:
    """Return sound as it comes through a door: no treble, mostly echo, and of the same length."""
    muffled = low_pass(samples, cutoff_hz)
    response = room_response(_T60_S, _DIRECT_SHARE, rng)
    echoed: Samples = signal.fftconvolve(muffled, response)[: len(samples)].astype(np.float32)
    return echoed


def excerpt(samples: Samples, start_s: float, duration_s: float) -> Samples:
    """Cut an excerpt; a recording that is too short begins again.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), n >= 1
    start_s, duration_s : float >= 0, seconds
    """
    first, count = round(start_s * SAMPLE_RATE_HZ), round(duration_s * SAMPLE_RATE_HZ)
    return looped(samples, first, count).astype(np.float32)


def fade(samples: Samples, seconds: float) -> Samples:
    """Return samples faded in and out, so that a scene's parts begin and end without a click."""
    n_fade = min(round(seconds * SAMPLE_RATE_HZ), len(samples) // 2)
    ramp = np.ones(len(samples), np.float32)
    ramp[:n_fade] = np.linspace(0.0, 1.0, n_fade, dtype=np.float32)
    ramp[len(samples) - n_fade :] = np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    return samples * ramp
