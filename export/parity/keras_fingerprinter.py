"""The front end as the Keras layer that training used."""

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel

__all__ = ["keras_images"]


def keras_images(config: FrontEndConfig, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log-mel images, (n, n_mels, n_frames, 1), of windows, (n, window_samples)."""
    images: NDArray[np.float32] = np.asarray(LogMel(config)(windows))
    return images
