"""Sampling: from noise to what a network was taught to rebuild, in a chosen number of steps."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretraining.diffusion.process import estimates, noisy

__all__ = ["sampled"]


def sampled(
    answer: Callable[[NDArray[np.float32], NDArray[np.float32]], Any],
    noise: NDArray[np.float32],
    prediction: str,
    *,
    n_steps: int,
) -> NDArray[np.float32]:
    """Follow a network from noise, by the deterministic sampler of Song et al. 2021 (DDIM, arXiv 2010.02502).

    Parameters
    ----------
    answer : callable
        Takes what is seen, shaped as ``noise``, and times, (n_batch, 1); gives what ``prediction`` says.
    noise : ndarray of float32, shape (n_batch, ...)
        Unit noise to begin with.
    prediction : str
        One of ``PREDICTIONS``.
    n_steps : int >= 1
        Times are evenly spread; one step gives the mean of all that could be.

    Returns
    -------
    ndarray of float32, shaped as ``noise``
    """
    seen = clean = noise
    times = np.linspace(1.0, 0.0, n_steps + 1, dtype=np.float32)
    shape = (len(noise),) + (1,) * (noise.ndim - 1)
    for time, next_time in itertools.pairwise(times):
        at = np.full((len(noise), 1), time, np.float32)
        clean, rest = estimates(prediction, answer(seen, at), seen, at.reshape(shape))
        seen = np.asarray(noisy(clean, rest, np.full(shape, next_time, np.float32)))
    return np.asarray(clean, np.float32)
