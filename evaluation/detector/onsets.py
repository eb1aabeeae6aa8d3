"""Onset strength of music: a front end with gain control passes onsets and fades sustained sounds such as drones."""

import itertools
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = ["OnsetClass", "onset_class", "onset_strength_db"]

OnsetClass = Literal["rhythmic", "sustained"]

SUSTAINED_BELOW_DB: Final = 0.52
"""Music below this onset strength is sustained: ambient, drones, pads, strings and choirs that hold their notes."""

_HOP = 512
_BANDS_HZ: Final = np.geomspace(80, 7_500, 25)


def onset_strength_db(samples: NDArray[np.float32]) -> float:
    """Return the half-wave rectified rise in level from one frame of 32 ms to the next, averaged over bands and time.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), 16 kHz
        Music alone, without a room or noise; at least a second.
    """
    frequency_hz, _, spectrum = signal.stft(samples, SAMPLE_RATE_HZ, nperseg=2 * _HOP, noverlap=_HOP)
    power = np.square(np.abs(spectrum))
    edges = np.searchsorted(frequency_hz, _BANDS_HZ)
    bands = np.stack([power[low : max(high, low + 1)].sum(axis=0) for low, high in itertools.pairwise(edges)])
    # Onsets more than 50 dB below the loudest are inaudible.
    level = 10 * np.log10(np.maximum(bands, bands.max() * 1e-5 + 1e-20))
    # Over three frames: a chord's beating rises and falls within one.
    smooth = np.apply_along_axis(lambda band: np.convolve(band, np.full(3, 1 / 3), mode="valid"), 1, level)
    return float(np.maximum(np.diff(smooth, axis=1), 0).mean())


def onset_class(samples: NDArray[np.float32]) -> OnsetClass:
    """Return whether music is rhythmic or sustained, by its onset strength."""
    return "sustained" if onset_strength_db(samples) < SUSTAINED_BELOW_DB else "rhythmic"
