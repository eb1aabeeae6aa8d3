"""The slices that both forms of Audio2Vec are about: a middle one and those before and after it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretraining.config.run import PretrainingConfig

__all__ = ["error_levels", "neighbouring", "others_than_middle"]


def neighbouring(config: PretrainingConfig) -> NDArray[np.int64]:
    """Return where a step's slices begin, samples from each clip's beginning, shape (clips_per_step, 2 n_context + 1).

    Slices do not overlap, and ``gap_s`` lies between them, so that no slice is recognized by its neighbour's edge.
    """
    step = config.front_end.window_samples + round(config.objective.gap_s * config.front_end.sample_rate_hz)
    row = np.arange(2 * config.objective.n_context + 1, dtype=np.int64) * step
    return np.tile(row, (config.clips_per_step, 1))


def others_than_middle(n_context: int) -> list[int]:
    """Return the numbers of the slices around the middle one."""
    return [number for number in range(2 * n_context + 1) if number != n_context]


def error_levels(wanted: NDArray[np.float32], known: NDArray[np.float32]) -> dict[str, float]:
    """Return the squared errors of two answers without any encoder, for images (n, n_slices, n_mels, n_frames).

    Parameters
    ----------
    wanted : ndarray of float32, shape (n, n_slices, n_mels, n_frames)
        What is to be rebuilt.
    known : ndarray of float32, shape (n, n_slices, n_mels, n_frames)
        What an encoder is given.

    Returns
    -------
    dict of str to float
        "mean image" of all that is wanted, and the "band means" of what each encoder is given.
    """
    bands = known.mean(axis=(1, 3))[:, None, :, None]
    answers: dict[str, Any] = {"mean image": wanted.mean(axis=(0, 1)), "band means": bands}
    return {name: float(np.square(wanted - answer).mean()) for name, answer in answers.items()}
