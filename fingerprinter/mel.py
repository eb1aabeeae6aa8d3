"""The mel filter bank and the window, as plain NumPy constants that every implementation of the front end reads."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from fingerprinter.config import FrontEndConfig

__all__ = ["hann_window", "log_mel_reference", "mel_filters"]


def hann_window(config: FrontEndConfig) -> NDArray[np.float32]:
    """Return the periodic Hann window of a frame, shape (fft_samples,), scaled to unit energy."""
    window = get_window("hann", config.fft_samples)
    scaled: NDArray[np.float32] = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
    return scaled


def mel_filters(config: FrontEndConfig) -> NDArray[np.float32]:
    """Return triangular filters on the mel scale, each summing to 1: white noise of unit RMS has mel power 1.

    Returns
    -------
    ndarray of float32, shape (spectrum_samples // 2 + 1, n_mels)

    Notes
    -----
    The mel scale is 2595 log10(1 + f / 700) (O'Shaughnessy 1987). Where triangles are at least one bin spacing wide on
    each side, these are ``librosa.filters.mel(htk=True, norm=1)``. Narrower ones are widened to a bin spacing, such as
    the lowest 3 of 64 bands of 10 ms frames; the shipped front ends were exported with them.
    """

    def to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 2595.0 * np.log10(1.0 + hz / 700.0)

    low_mel, high_mel = (float(edge) for edge in to_mel(np.array([config.low_hz, config.high_hz])))
    edges_mel = np.linspace(low_mel, high_mel, config.n_mels + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.arange(config.spectrum_samples // 2 + 1) * config.sample_rate_hz / config.spectrum_samples
    spacing_hz = bins_hz[1]
    centre = edges_hz[1:-1]
    # A triangle at least one bin spacing wide on each side always contains a bin.
    lower = np.minimum(edges_hz[:-2], centre - spacing_hz)
    upper = np.maximum(edges_hz[2:], centre + spacing_hz)
    rising = (bins_hz[:, None] - lower) / (centre - lower)
    falling = (upper - bins_hz[:, None]) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    filters: NDArray[np.float32] = (weights / weights.sum(axis=0)).astype(np.float32)
    return filters


def log_mel_reference(samples: NDArray[np.float32], config: FrontEndConfig) -> NDArray[np.float32]:
    """Compute the front end in float64 NumPy, as a reference for the Keras layer and the exported graphs.

    Parameters
    ----------
    samples : ndarray of float32, shape (window_samples,), in [-1, 1]
    config : FrontEndConfig

    Returns
    -------
    ndarray of float32, shape (n_mels, n_frames), in [-clip, clip]
    """
    signal = samples.astype(np.float64)
    signal = signal / np.sqrt(np.mean(signal**2) + 1e-10)
    padded = np.pad(signal, config.hop_samples // 2)
    starts = np.arange(config.n_frames) * config.hop_samples
    frames = padded[starts[:, None] + np.arange(config.fft_samples)]
    power = np.abs(np.fft.rfft(frames * hann_window(config), n=config.spectrum_samples, axis=1)) ** 2
    log_mel = np.log(power @ mel_filters(config).astype(np.float64) + config.floor)
    centred = (log_mel - log_mel.mean()) / config.scale
    image: NDArray[np.float32] = np.clip(centred, -config.clip, config.clip).T.astype(np.float32)
    return image
