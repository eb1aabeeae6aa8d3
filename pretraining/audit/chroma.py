"""Melody in a log-mel image: how strong each of the twelve pitch classes is in each frame."""

import librosa
import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import mel_filters

__all__ = ["chroma", "chroma_agreement", "less_usual", "pitch_levels", "strongest_agreement"]

_LOW_HZ, _HIGH_HZ = 300.0, 3_000.0  # below, a mel band is wider than two semitones; above, there are mostly partials


def chroma(images: NDArray[np.float32], front_end: FrontEndConfig) -> NDArray[np.float64]:
    """Return pitch classes over time.

    Parameters
    ----------
    images : ndarray of float32, shape (n, n_mels, n_frames, 1)
    front_end : FrontEndConfig

    Returns
    -------
    ndarray of float64, shape (n, 12, n_frames)
        Mean level of the bands of each class from 300 to 3000 Hz, less the mean over classes, and less what is usual in
        these images; C first.
    """
    return less_usual(pitch_levels(images, front_end))


def less_usual(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels of pitch classes less each class's mean over all sounds and frames.

    Else every sound's falling spectrum agrees with every other's.
    """
    found: NDArray[np.float64] = levels - levels.mean(axis=(0, 2), keepdims=True)
    return found


def pitch_levels(images: NDArray[np.float32], front_end: FrontEndConfig) -> NDArray[np.float64]:
    """Return the levels of pitch classes as they are, of few images or many alike; shapes as of :func:`chroma`."""
    filters = mel_filters(front_end).astype(np.float64)
    bins_hz = np.arange(len(filters)) * front_end.sample_rate_hz / front_end.spectrum_samples
    inside = (bins_hz >= _LOW_HZ) & (bins_hz <= _HIGH_HZ)
    classes_of_bins = librosa.filters.chroma(
        sr=front_end.sample_rate_hz, n_fft=front_end.spectrum_samples, tuning=0.0, octwidth=None
    )
    of_class = filters[inside].T @ classes_of_bins[:, inside].T
    weights = of_class / of_class.sum(axis=0)
    classes = np.einsum("nmt,mc->nct", images[..., 0].astype(np.float64), weights)
    found: NDArray[np.float64] = classes - classes.mean(axis=1, keepdims=True)
    return found


def chroma_agreement(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of two sounds' pitch classes over all classes and frames, shape (n,), in [-1, 1]."""
    products = np.sum(a * b, axis=(1, 2))
    correlation: NDArray[np.float64] = products / np.sqrt(np.sum(a**2, axis=(1, 2)) * np.sum(b**2, axis=(1, 2)) + 1e-12)
    return correlation


def strongest_agreement(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of frames in which the strongest pitch class is the same, shape (n,)."""
    same: NDArray[np.float64] = np.mean(a.argmax(axis=1) == b.argmax(axis=1), axis=1)
    return same
