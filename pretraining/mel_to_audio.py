"""From log-mel images back to sound that one can listen to."""

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import interp1d

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import mel_filters

__all__ = ["mel_to_audio"]

_MOMENTUM = 0.99
_SPECTRUM_ITERATIONS = 50
_PHASE_ITERATIONS = 60
_FINER = 2  # phases of frames that overlap by half hardly depend on each other; by three quarters they do
_LOUDEST = 0.95
_PEAK = 0.5


def mel_to_audio(
    image: NDArray[np.float32], config: FrontEndConfig, *, rms: float | None = None, seed: int = 0
) -> NDArray[np.float32]:
    """Return samples whose log-mel is about an image's.

    Parameters
    ----------
    image : ndarray of float32, shape (n_mels, n_frames)
        In the front end's units: natural logarithm less its mean, divided by ``scale``.
    config : FrontEndConfig
    rms : float > 0, optional
        Level of the result, which an image does not hold; lower where samples would leave [-0.95, 0.95]. Without it the
        peak is 0.5.
    seed : int
        Of the initial phases.

    Returns
    -------
    ndarray of float32, shape (n_frames * hop_samples,), in [-0.95, 0.95]

    Notes
    -----
    The power spectrum comes from the bands by the multiplicative rule of Lee and Seung 2001, the phases by the fast
    Griffin-Lim algorithm of librosa (Perraudin et al. 2013). The floor that the front end adds stays in.
    """
    power = _power(np.exp(config.scale * image.astype(np.float64)), config)
    n_frames = power.shape[1]
    positions = np.minimum(np.arange(_FINER * n_frames) / _FINER, n_frames - 1)
    samples = librosa.griffinlim(
        np.sqrt(interp1d(np.arange(n_frames), power)(positions)),
        n_iter=_PHASE_ITERATIONS,
        hop_length=config.hop_samples // _FINER,
        win_length=config.fft_samples,
        n_fft=config.spectrum_samples,
        momentum=_MOMENTUM,
        random_state=seed,
    )
    samples = librosa.util.fix_length(samples, size=n_frames * config.hop_samples)
    peak = max(float(np.abs(samples).max()), 1e-12)
    level = max(float(np.sqrt(np.mean(samples**2))), 1e-12)
    gain = _PEAK / peak if rms is None else min(rms / level, _LOUDEST / peak)
    scaled: NDArray[np.float32] = (gain * samples).astype(np.float32)
    return scaled


def _power(bands: NDArray[np.float64], config: FrontEndConfig) -> NDArray[np.float64]:
    """Return a power spectrum (n_bins, n_frames) that gives mel power (n_mels, n_frames)."""
    filters = mel_filters(config).astype(np.float64)
    target = filters @ bands
    power = target + 1e-12
    for _ in range(_SPECTRUM_ITERATIONS):
        power *= target / (filters @ (filters.T @ power) + 1e-12)
    return power
