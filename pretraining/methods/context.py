"""The slices that both forms of Audio2Vec are about: a middle one and those before and after it."""

import numpy as np
from numpy.typing import NDArray

from pretraining.config.run import PretrainingConfig

__all__ = ["neighbouring", "others_than_middle"]


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
