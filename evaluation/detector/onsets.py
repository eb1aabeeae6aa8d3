"""How much of music are beginnings of notes: what a front end with gain control lives on, and drones do without."""

import itertools
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = ["Character", "character_of", "mean_rise_db"]

Character = Literal["rhythmic", "sustained"]

MOST_SUSTAINED_DB: Final = 0.52
"""Mean rise below which music is sustained: ambient, drones, pads, strings and choirs that hold their notes."""

_HOP = 512
_BANDS_HZ: Final = np.geomspace(80, 7_500, 25)


def mean_rise_db(samples: NDArray[np.float32]) -> float:
    """Return by how many dB a frame of 32 ms is louder than the one before, where it is louder, on average over bands.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), 16 kHz
        Music alone, without a room or noise; at least a second.
    """
    frequency_hz, _, spectrum = signal.stft(samples, SAMPLE_RATE_HZ, nperseg=2 * _HOP, noverlap=_HOP)
    power = np.square(np.abs(spectrum))
    edges = np.searchsorted(frequency_hz, _BANDS_HZ)
    bands = np.stack([power[low : max(high, low + 1)].sum(axis=0) for low, high in itertools.pairwise(edges)])
    # What lies 50 dB below the loudest cannot be heard to begin.
    level = 10 * np.log10(np.maximum(bands, bands.max() * 1e-5 + 1e-20))
    # Over three frames: a chord's beating rises and falls within one.
    smooth = np.apply_along_axis(lambda band: np.convolve(band, np.full(3, 1 / 3), mode="valid"), 1, level)
    return float(np.maximum(np.diff(smooth, axis=1), 0).mean())


def character_of(samples: NDArray[np.float32]) -> Character:
    """Return whether music is rhythmic or sustained, by its mean rise."""
    return "sustained" if mean_rise_db(samples) < MOST_SUSTAINED_DB else "rhythmic"
