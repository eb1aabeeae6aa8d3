"""How far rebuilt sound is from real sound: an unbiased kernel distance over fingerprints.

The encoder is the shipped fingerprinter, which no decoder learns from: the perceptual error uses another encoder.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.statistics import Interval, student

__all__ = ["fingerprints", "kernel_distance"]

_BLOCK = 128  # images of one independent estimate


def fingerprints(model: Fingerprinter, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit vectors of log-mel images, (n, n_mels, n_frames, 1) to (n, dim)."""
    return np.concatenate([model.encode(image[None]) for image in images])


def kernel_distance(real: NDArray[np.float32], rebuilt: NDArray[np.float32]) -> Interval:
    """Return the distance between two sets of unit vectors of the same size, with its interval.

    Parameters
    ----------
    real, rebuilt : ndarray of float32, shape (n, dim)
        Of different windows: vectors of the same ones would not be independent.

    Returns
    -------
    Interval
        Squared maximum mean discrepancy, in thousandths; below 0 by chance where nothing differs.

    Notes
    -----
    Binkowski et al. 2018 (arXiv 1801.01401): the unbiased estimate with the kernel (x.y + 1)^3, here on cosines. Blocks
    of 128 share no window, so that Student's t tells how sure their mean is; of fewer images two blocks are made.
    """
    size = min(_BLOCK, len(real) // 2)
    blocks = [slice(at, at + size) for at in range(0, len(real) - size + 1, size)]
    found = 1e3 * np.array([_unbiased(real[rows].astype(np.float64), rebuilt[rows]) for rows in blocks])
    return student(found)


def _unbiased(real: NDArray[np.float64], rebuilt: NDArray[np.float32]) -> float:
    n = len(real)
    within = 0.0
    for vectors in (real, rebuilt):
        kernel = _kernel(vectors, vectors)
        within += (np.sum(kernel) - np.trace(kernel)) / (n * (n - 1))
    return float(within - 2.0 * np.mean(_kernel(real, rebuilt)))


def _kernel(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    kernel: NDArray[np.float64] = (a.astype(np.float64) @ b.astype(np.float64).T + 1.0) ** 3
    return kernel
