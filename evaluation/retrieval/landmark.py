"""The baseline to beat: landmarks, pairs of spectral peaks, as in Wang's "An industrial-strength audio search" (2003).

Settings follow Ellis's widely used audfprint: 11,025 Hz, 46 ms frames every 23 ms, about 20 peaks a second, each paired
with the next three within 31 bins and 63 frames; queries are analysed at four shifts of a quarter frame step. Counting
is for songs only: a landmark says nothing about a segment below a second.
"""

from collections.abc import Sequence

import numpy as np
import scipy.ndimage
import scipy.signal
import soxr
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = ["LandmarkIndex", "landmarks"]

_RATE_HZ = 11_025
_FFT = 512
_HOP = 256
_PEAKS_PER_S = 20.0
_FAN_OUT = 3
_MAX_FRAMES = 63
_MAX_BINS = 31
_QUERY_SHIFTS = 4
# Neighbourhood within which a peak is the largest: about 190 Hz and 120 ms on each side.
_NEIGHBOURHOOD = (19, 11)


def landmarks(samples: NDArray[np.float32], *, skip_samples: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a recording's landmarks.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Mono at 11,025 Hz.
    skip_samples : int
        Where the first frame begins.

    Returns
    -------
    hashes : ndarray of int64, shape (n_landmarks,)
        First bin, difference of bins and distance in frames, in 8 + 6 + 6 bits.
    frames : ndarray of int64, shape (n_landmarks,)
        When each begins, in steps of 256 samples.
    """
    bins, frames = _peaks(samples[skip_samples:])
    hashes, times = [], []
    for ahead in range(1, frames.size):
        # Peaks stand in order of time: the candidates that stand this many places after each.
        distance, jump = frames[ahead:] - frames[:-ahead], bins[ahead:] - bins[:-ahead]
        if not (distance <= _MAX_FRAMES).any():
            break
        near = (distance > 0) & (distance <= _MAX_FRAMES) & (np.abs(jump) <= _MAX_BINS)
        first = np.flatnonzero(near)
        hashes.append((bins[first] << 12) | ((jump[first] + 32) << 6) | distance[first])
        times.append(np.stack([frames[first], first]))
    if not hashes:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    codes, (when, origin) = np.concatenate(hashes), np.concatenate(times, axis=1)
    # The nearest few partners of each peak: they were appended in order of their place.
    order = np.argsort(origin, kind="stable")
    ranks = np.arange(order.size) - np.searchsorted(origin[order], origin[order])
    kept = order[ranks < _FAN_OUT]
    return codes[kept], when[kept]


def _peaks(samples: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bins and frames of the strongest local maxima, in order of time."""
    if samples.size < _FFT:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    frames_of = np.lib.stride_tricks.sliding_window_view(samples, _FFT)[::_HOP]
    spectrum = np.fft.rfft(frames_of * np.hanning(_FFT), axis=1).T
    level = np.log(np.maximum(np.abs(spectrum[:256]), 1e-4))
    level -= level.mean()
    # A high-pass along time removes what lasts, as a level or a hum does.
    level = scipy.signal.lfilter([1, -1], [1, -0.98], level, axis=1)
    top = level == scipy.ndimage.maximum_filter(level, size=_NEIGHBOURHOOD, mode="constant", cval=-np.inf)
    bins, frames = np.nonzero(top & (level > 0))
    wanted = max(1, round(_PEAKS_PER_S * samples.size / _RATE_HZ))
    chosen = np.argsort(-level[bins, frames], kind="stable")[:wanted]
    order = chosen[np.lexsort((bins[chosen], frames[chosen]))]
    return bins[order].astype(np.int64), frames[order].astype(np.int64)


class LandmarkIndex:
    """All landmarks of a collection, sorted by hash.

    Parameters
    ----------
    recordings : sequence of ndarray of float32
        Mono at 16 kHz; a recording's place is its song number.
    """

    def __init__(self, recordings: Sequence[NDArray[np.float32]]) -> None:
        found = [landmarks(_resampled(samples)) for samples in recordings]
        hashes = np.concatenate([codes for codes, _ in found])
        songs = np.repeat(np.arange(len(found)), [codes.size for codes, _ in found])
        frames = np.concatenate([when for _, when in found])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._songs, self._frames = hashes[order], songs[order], frames[order]

    def __len__(self) -> int:
        """Return the number of landmarks."""
        return int(self._hashes.size)

    def match(self, samples: NDArray[np.float32]) -> tuple[int, float, int]:
        """Return the song with most landmarks at one time offset.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            Mono at 16 kHz.

        Returns
        -------
        song : int
            -1 when no landmark was found.
        offset_s : float, seconds
            Of the query's start in the song.
        n_common : int
            Landmarks that agree.
        """
        query = _resampled(samples)
        keys = []
        for shift in range(_QUERY_SHIFTS):
            hashes, frames = landmarks(query, skip_samples=shift * _HOP // _QUERY_SHIFTS)
            low, high = np.searchsorted(self._hashes, hashes, "left"), np.searchsorted(self._hashes, hashes, "right")
            counts = high - low
            places = np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            offsets = self._frames[places] - np.repeat(frames, counts)
            keys.append((self._songs[places] << 32) + offsets + (1 << 31))
        pairs, votes = np.unique(np.concatenate(keys), return_counts=True)
        if pairs.size == 0:
            return -1, 0.0, 0
        best = int(np.argmax(votes))
        offset = (int(pairs[best]) & 0xFFFFFFFF) - (1 << 31)
        return int(pairs[best] >> 32), offset * _HOP / _RATE_HZ, int(votes[best])


def _resampled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    resampled: NDArray[np.float32] = soxr.resample(samples, SAMPLE_RATE_HZ, _RATE_HZ)
    return resampled
