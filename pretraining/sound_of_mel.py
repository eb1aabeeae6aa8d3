"""From a log-mel image back to sound one can listen to: phases are made up, by Griffin and Lim's method."""

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import mel_filters
from nowplaying.errors import MissingExtraError

__all__ = ["sound_of_mel"]

_ITERATIONS = 64
_PEAK = 0.5


def sound_of_mel(image: NDArray[np.float32], front_end: FrontEndConfig) -> NDArray[np.float32]:
    """Return samples whose log-mel is about an image's.

    Parameters
    ----------
    image : ndarray of float32, shape (n_mels, n_frames)
        In the front end's units; any number of frames.
    front_end : FrontEndConfig

    Returns
    -------
    ndarray of float32, shape (n_frames * hop_samples,)
        With a peak of 0.5: an image knows no level.

    Raises
    ------
    MissingExtraError
        When librosa is not installed.
    """
    try:
        import librosa
    except ImportError as error:
        raise MissingExtraError(extra="train", needed_for="sound from log-mel images", cause=error) from error
    power = np.exp(image.astype(np.float64) * front_end.scale)
    filters = mel_filters(front_end).astype(np.float64)
    # A bin is as strong as the bands around it: an interpolation, which has no negative powers to mend.
    spectrum = filters @ power / np.maximum(filters.sum(axis=1, keepdims=True), 1e-9)
    samples = librosa.griffinlim(
        np.sqrt(spectrum),
        n_iter=_ITERATIONS,
        hop_length=front_end.hop_samples,
        win_length=front_end.fft_samples,
        n_fft=front_end.spectrum_samples,
        random_state=0,
    )
    # A frame's centre lies half a hop later here than there.
    samples = np.pad(samples, front_end.hop_samples // 2)
    scaled: NDArray[np.float32] = (samples * (_PEAK / max(float(np.abs(samples).max()), 1e-9))).astype(np.float32)
    return scaled
