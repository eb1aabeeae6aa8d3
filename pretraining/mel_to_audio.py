"""From log-mel images back to sound that one can listen to: bands to a spectrum, and phases that agree with it."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import mel_filters

__all__ = ["sound_of_mel", "to_sound"]

_SPECTRUM_ITERATIONS = 50
_PHASE_ITERATIONS = 60
_MOMENTUM = 0.99
_FINER = 2  # phases of frames that overlap by half hardly depend on each other; by three quarters they do
_LOUDEST = 0.95
_PEAK = 0.5


def to_sound(image: NDArray[np.float32], config: FrontEndConfig, *, rms: float, seed: int) -> NDArray[np.float32]:
    """Return samples whose log-mel is about an image's.

    Parameters
    ----------
    image : ndarray of float32, shape (n_mels, n_frames)
        In the front end's units: natural logarithm less its mean, divided by ``scale``.
    config : FrontEndConfig
    rms : float > 0
        Level of the result, which an image does not hold; less where samples would leave [-0.95, 0.95].
    seed : int
        Of the phases that the search begins with.

    Returns
    -------
    ndarray of float32, shape (n_frames * hop_samples,), in [-0.95, 0.95]

    Notes
    -----
    The spectrum without negative power comes from the bands by the multiplicative rule of Lee and Seung 2001, phases by
    Griffin and Lim 1984 in the quicker form of Perraudin et al. 2013. The floor that the front end adds stays in.
    """
    n_samples = image.shape[1] * config.hop_samples
    samples = _with_phases(
        np.sqrt(_finer(_power(np.exp(config.scale * image.astype(np.float64)), config))), config, seed
    )
    samples = np.pad(samples, (0, max(0, n_samples - len(samples))))[:n_samples]
    samples = samples * (rms / max(float(np.sqrt(np.mean(samples**2))), 1e-12))
    louder = max(float(np.abs(samples).max()) / _LOUDEST, 1.0)
    found: NDArray[np.float32] = (samples / louder).astype(np.float32)
    return found


def sound_of_mel(image: NDArray[np.float32], config: FrontEndConfig) -> NDArray[np.float32]:
    """Return what :func:`to_sound` does for an image whose level nobody knows: with a peak of 0.5."""
    samples = to_sound(image, config, rms=1.0, seed=0)
    scaled: NDArray[np.float32] = samples * np.float32(_PEAK / max(float(np.abs(samples).max()), 1e-9))
    return scaled


def _power(bands: NDArray[np.float64], config: FrontEndConfig) -> NDArray[np.float64]:
    """Return a power spectrum (n_bins, n_frames) that gives mel power (n_mels, n_frames)."""
    filters = mel_filters(config).astype(np.float64)
    wanted = filters @ bands
    power = wanted + 1e-12
    for _ in range(_SPECTRUM_ITERATIONS):
        power *= wanted / (filters @ (filters.T @ power) + 1e-12)
    return power


def _finer(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frames at a fraction of the hop, between their neighbours."""
    places = np.arange(_FINER * power.shape[1]) / _FINER
    left = np.minimum(places.astype(np.int64), power.shape[1] - 1)
    right = np.minimum(left + 1, power.shape[1] - 1)
    found: NDArray[np.float64] = power[:, left] + (places - left) * (power[:, right] - power[:, left])
    return found


def _with_phases(magnitude: NDArray[np.float64], config: FrontEndConfig, seed: int) -> NDArray[np.float64]:
    """Return samples whose spectrogram is near a magnitude (n_bins, n_frames) at a hop of ``hop_samples / 2``."""
    length, nfft = config.fft_samples, config.spectrum_samples
    overlap = length - config.hop_samples // _FINER

    def heard(spectrum: NDArray[np.complex128]) -> NDArray[np.float64]:
        samples: NDArray[np.float64] = istft(spectrum, nperseg=length, noverlap=overlap, nfft=nfft)[1]
        return samples

    phases = np.exp(2j * np.pi * np.random.default_rng(seed).random(magnitude.shape))
    before = np.zeros_like(phases)
    for _ in range(_PHASE_ITERATIONS):
        consistent = stft(heard(magnitude * phases), nperseg=length, noverlap=overlap, nfft=nfft)[2]
        consistent = np.pad(consistent, ((0, 0), (0, max(0, magnitude.shape[1] - consistent.shape[1]))))
        consistent = consistent[:, : magnitude.shape[1]]
        ahead = consistent + _MOMENTUM * (consistent - before)
        phases = ahead / np.maximum(np.abs(ahead), 1e-12)
        before = consistent
    return heard(magnitude * phases)
