# Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed.
"""Levels of 40 mel bands every 10 ms in integers: the first half of TensorFlow Lite Micro's ``microfrontend``.

A Hann window of 30 ms, a 512-point FFT in 16 bits (kissfft, radix 4, rounded after every product), overlapping mel
triangles from 125 to 7500 Hz, and square roots. Whole recordings go through NumPy at once; the integers are those of
the C code, which ``pymicro_features`` runs with the settings that detectors have always had.
"""

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = [
    "CORRECTION_BITS",
    "FRAME_HOP_SAMPLES",
    "FRAME_WINDOW_SAMPLES",
    "N_CHANNELS",
    "BandLevels",
    "significant_bits",
]

FRAME_HOP_SAMPLES: Final = 160
FRAME_WINDOW_SAMPLES: Final = 480
N_CHANNELS: Final = 40
CORRECTION_BITS: Final = 3
"""Bits by which the later steps move these levels up, for the FFT's size and the triangles' 12 bits."""

_FFT_SIZE: Final = 512
_HALF: Final = _FFT_SIZE // 2
_LOW_HZ: Final = 125.0
_HIGH_HZ: Final = 7_500.0
_BITS: Final = 12
_MOST: Final = 32_767
_BLOCK: Final = 2_000  # frames at once, for the processor's cache

Whole = NDArray[np.int32]


class BandLevels:
    """PCM in pieces of any length, levels out; nothing in it adapts."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._rest = np.empty(0, dtype=np.int16)

    def process(self, pcm: NDArray[np.int16]) -> NDArray[np.uint32]:
        """Return the levels of the frames that these samples complete.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,)
            16 kHz mono; any n, also 0.

        Returns
        -------
        ndarray of uint32, shape (n_frames, 40)
            0 to about 2^21, proportional to amplitude.
        """
        samples = np.concatenate([self._rest, pcm])
        n_frames = max(0, (samples.size - FRAME_WINDOW_SAMPLES) // FRAME_HOP_SAMPLES + 1)
        self._rest = samples[n_frames * FRAME_HOP_SAMPLES :]
        if not n_frames:
            return np.empty((0, N_CHANNELS), dtype=np.uint32)
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_WINDOW_SAMPLES)[::FRAME_HOP_SAMPLES]
        parts = [_levels(frames[first : first + _BLOCK]) for first in range(0, n_frames, _BLOCK)]
        return np.concatenate(parts)


def significant_bits(values: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the position of the highest bit, from 1; 0 for 0."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _levels(frames: NDArray[np.int16]) -> NDArray[np.uint32]:
    windowed = ((frames.astype(np.int32) * _window()) >> _BITS).astype(np.int16)
    largest = np.maximum(np.where(windowed < 0, -windowed, windowed).max(axis=1), 0)
    shift = 15 - significant_bits(largest.astype(np.uint32))
    padded = np.zeros((len(frames), _FFT_SIZE), dtype=np.int32)
    padded[:, :FRAME_WINDOW_SAMPLES] = _as_int16(windowed.astype(np.int32) << shift[:, None].astype(np.int32))
    real, imaginary = _spectrum(padded)
    energy = np.square(real.astype(np.int64)) + np.square(imaginary.astype(np.int64))
    # Exact: the sums have at most 48 of a float64's 53 bits.
    sums = np.rint(energy.astype(np.float64) @ _triangles()).astype(np.uint64)
    return (_rounded_root(sums) >> shift[:, None].astype(np.uint64)).astype(np.uint32)


def _rounded_root(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return square roots rounded; below 2^32 no more than 65535, which the 16 bits of C hold."""
    root = np.sqrt(values.astype(np.float64)).astype(np.uint64)
    root -= root * root > values
    root += (root + 1) * (root + 1) <= values
    up = values - root * root > root
    up &= ~((values < 2**32) & (root == 65_535))
    return root + up


def _spectrum(samples: Whole) -> tuple[Whole, Whole]:
    """Return bins 0 to 256 of real windows, halved once more than the FFT of half the size halves them."""
    real, imaginary = _half_size_fft(samples[:, ::2], samples[:, 1::2])
    low = np.arange(1, _HALF // 2 + 1)
    high = _HALF - low
    low_real, low_imaginary = _divided(real[:, low], 2), _divided(imaginary[:, low], 2)
    high_real, high_imaginary = _divided(real[:, high], 2), _divided(-imaginary[:, high], 2)
    sum_real, sum_imaginary = low_real + high_real, low_imaginary + high_imaginary
    turned_real, turned_imaginary = _product(low_real - high_real, low_imaginary - high_imaginary, *_last_twiddles())
    out_real = np.zeros((len(samples), _HALF + 1), dtype=np.int32)
    out_imaginary = np.zeros_like(out_real)
    first, second = _divided(real[:, 0], 2), _divided(imaginary[:, 0], 2)
    out_real[:, 0], out_real[:, _HALF] = first + second, first - second
    out_real[:, low], out_imaginary[:, low] = (sum_real + turned_real) >> 1, (sum_imaginary + turned_imaginary) >> 1
    out_real[:, high], out_imaginary[:, high] = (sum_real - turned_real) >> 1, (turned_imaginary - sum_imaginary) >> 1
    return _as_int16(out_real), _as_int16(out_imaginary)


def _half_size_fft(real: Whole, imaginary: Whole) -> tuple[Whole, Whole]:
    """Return the FFT of 256 complex points, divided by 256 on its way."""
    order = np.arange(_HALF).reshape(4, 4, 4, 4).transpose(3, 2, 1, 0).ravel()
    real, imaginary = real[:, order], imaginary[:, order]
    for size in (1, 4, 16, 64):
        shape = (len(real), _HALF // (4 * size), 4, size)
        real, imaginary = _divided(real, 4).reshape(shape), _divided(imaginary, 4).reshape(shape)
        turn = np.arange(4)[:, None] * np.arange(size) * (_HALF // (4 * size))
        cosine, sine = (table[turn] for table in _twiddles())
        turned_real, turned_imaginary = _product(real, imaginary, cosine, sine)
        # The first of four is not multiplied at all.
        a, ai = real[:, :, 0], imaginary[:, :, 0]
        (b, c, d), (bi, ci, di) = (
            np.moveaxis(turned_real[:, :, 1:], 2, 0),
            np.moveaxis(turned_imaginary[:, :, 1:], 2, 0),
        )
        even, even_i, odd, odd_i = a + c, ai + ci, a - c, ai - ci
        plus, plus_i, minus, minus_i = b + d, bi + di, b - d, bi - di
        real = np.stack([even + plus, odd + minus_i, even - plus, odd - minus_i], axis=2)
        imaginary = np.stack([even_i + plus_i, odd_i - minus, even_i - plus_i, odd_i + minus], axis=2)
        real, imaginary = (_as_int16(part).reshape(-1, _HALF) for part in (real, imaginary))
    return real, imaginary


def _divided(values: Whole, divisor: int) -> Whole:
    return _rounded(values * np.int32(_MOST // divisor))


def _product(real: Whole, imaginary: Whole, cosine: Whole, sine: Whole) -> tuple[Whole, Whole]:
    return _rounded(real * cosine - imaginary * sine), _rounded(real * sine + imaginary * cosine)


def _rounded(products: Whole) -> Whole:
    return (products + np.int32(1 << 14)) >> np.int32(15)


def _as_int16(values: Whole) -> Whole:
    """Wrap as 16 bits do."""
    return values.astype(np.int16).astype(np.int32)


@functools.cache
def _window() -> Whole:
    angle = np.float32(math.pi) * np.float32(2) / np.float32(FRAME_WINDOW_SAMPLES)
    phase = angle * (np.arange(FRAME_WINDOW_SAMPLES, dtype=np.float32) + np.float32(0.5))
    shape = np.float32(0.5) - np.float32(0.5) * np.cos(phase)
    return np.asarray(np.floor(shape * np.float32(1 << _BITS) + np.float32(0.5)), dtype=np.int32)


@functools.cache
def _twiddles() -> tuple[Whole, Whole]:
    return _turns([-2 * math.pi * number / _HALF for number in range(_HALF)])


@functools.cache
def _last_twiddles() -> tuple[Whole, Whole]:
    return _turns([-math.pi * ((number + 1) / _HALF + 0.5) for number in range(_HALF // 2)])


def _turns(phases: list[float]) -> tuple[Whole, Whole]:
    cosines = [math.floor(0.5 + _MOST * math.cos(phase)) for phase in phases]
    sines = [math.floor(0.5 + _MOST * math.sin(phase)) for phase in phases]
    return np.array(cosines, dtype=np.int32), np.array(sines, dtype=np.int32)


@functools.cache
def _triangles() -> NDArray[np.float64]:
    """Return every bin's weight in every band, whole numbers, shape (257, 40): one rises where the last falls."""
    hz_per_bin = np.float32(0.5) * np.float32(SAMPLE_RATE_HZ) / np.float32(_HALF)
    bins = _mel(np.arange(_HALF + 1, dtype=np.float32) * hz_per_bin)
    low = _mel(np.float32(_LOW_HZ))
    spacing = (_mel(np.float32(_HIGH_HZ)) - low) / np.float32(N_CHANNELS + 1)
    centres = low + spacing * np.arange(1, N_CHANNELS + 2, dtype=np.float32)
    weights = np.zeros((_HALF + 1, N_CHANNELS + 2))
    first = int(np.float32(1.5) + np.float32(_LOW_HZ) / hz_per_bin)
    # A frequency belongs to the first band whose centre is not below it: there it falls, in the next it rises.
    for number in range(first, _HALF + 1):
        band = int(np.searchsorted(centres, bins[number], side="left"))
        if band > N_CHANNELS:
            break
        before = low if band == 0 else centres[band - 1]
        share = (centres[band] - bins[number]) / (centres[band] - before)
        weights[number, band] = math.floor(share * np.float32(1 << _BITS) + np.float32(0.5))
        weights[number, band + 1] = math.floor((np.float32(1) - share) * np.float32(1 << _BITS) + np.float32(0.5))
    return weights[:, 1 : N_CHANNELS + 1]


def _mel(hz: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    return np.asarray(np.float32(1127) * np.log1p(hz / np.float32(700)), dtype=np.float32)
