"""From log-mel images back to sound that one can listen to: bands to a spectrum, and phases that agree with it."""

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import mel_filters
from nowplaying.errors import MissingExtraError

__all__ = ["to_sound"]

_ITERATIONS = 60
_LOUDEST = 0.95


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
    The spectrum is the least-squares solution without negative power. Phases by Griffin and Lim 1984, the quicker form
    of Perraudin et al. 2013. The floor that the front end adds stays in, 50 dB below white noise.
    """
    try:
        import librosa
    except ImportError as error:
        raise MissingExtraError(extra="train", needed_for="sound from log-mel images", cause=error) from error
    mel_power = np.exp(config.scale * image.astype(np.float64))
    power = librosa.util.nnls(mel_filters(config).T.astype(np.float64), mel_power)
    samples = librosa.griffinlim(
        np.sqrt(power),
        n_iter=_ITERATIONS,
        n_fft=config.spectrum_samples,
        hop_length=config.hop_samples,
        win_length=config.fft_samples,
        length=image.shape[1] * config.hop_samples,
        random_state=seed,
    )
    samples = samples * (rms / max(float(np.sqrt(np.mean(samples**2))), 1e-9))
    found: NDArray[np.float32] = (samples * min(1.0, _LOUDEST / max(float(np.abs(samples).max()), 1e-9))).astype(
        np.float32
    )
    return found
