"""How sure a mean accuracy is: a bootstrap over seeds and over what is independent in a test set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bootstrap", "interval"]

_N_DRAWS = 2000


def bootstrap(right: NDArray[Any], units: Sequence[str], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw mean accuracies, or means of other figures, as they might have been with other seeds and other test sounds.

    Parameters
    ----------
    right : ndarray of bool or float, shape (n_seeds, n_examples)
        Whether each answer was right, or each figure.
    units : sequence of str, length n_examples
        Examples of one unit are drawn together.
    rng : numpy.random.Generator
        Draws of two methods with the same generator state are paired, unit by unit.

    Returns
    -------
    ndarray of float64, shape (2000,)
    """
    _, codes = np.unique(np.asarray(units), return_inverse=True)
    sizes = np.bincount(codes)
    sums = np.stack([np.bincount(codes, weights=row) for row in right])
    n_seeds, n_units = sums.shape
    means = np.empty(_N_DRAWS)
    for draw in range(_N_DRAWS):
        chosen = rng.integers(n_units, size=n_units)
        seeds = rng.integers(n_seeds, size=n_seeds)
        means[draw] = sums[np.ix_(seeds, chosen)].sum() / (sizes[chosen].sum() * n_seeds)
    return means


def interval(means: NDArray[np.float64]) -> tuple[float, float]:
    """Return the middle 95 % of drawn means."""
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
