"""A part of the labels: what a probe learns from when most of a training set is not labelled."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["labelled_part"]


def labelled_part(labels: Sequence[str], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the numbers of a share of the examples, drawn label by label, at least one of each; ascending.

    Parameters
    ----------
    labels : sequence of str
        Of all examples.
    share : float in (0, 1]
    rng : numpy.random.Generator
    """
    names = np.asarray(labels)
    chosen = []
    for label in np.unique(names):
        of_label = np.flatnonzero(names == label)
        n_kept = max(1, round(share * len(of_label)))
        chosen.append(rng.permutation(of_label)[:n_kept])
    return np.sort(np.concatenate(chosen))
