"""Quantiles of values that count differently, as days and what happened on them do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["weighted_quantiles"]


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], shares: Sequence[float]
) -> list[float]:
    """Return, for each share, the least value that together with all smaller ones has that share of the weight.

    Parameters
    ----------
    values, weights : ndarray of float, shape (n,), n >= 1
        Weights sum to one.
    shares : sequence of float in [0, 1]
    """
    order = np.argsort(values)
    places = np.searchsorted(np.cumsum(weights[order]), shares)
    return [float(values[order][min(len(values) - 1, int(place))]) for place in places]
