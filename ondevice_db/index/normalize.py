"""Lengths of vectors: unit rows to store and to query, and a power of the length for decoded ones."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["l2_normalize", "power_normalize"]

_LENGTH_POWER = 1.5


def l2_normalize(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return rows scaled to length 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def power_normalize(decoded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return decoded vectors divided by a power of their length, for comparison with one query.

    A vector that is badly described by its code decodes to a short one, by which the plain inner product would hold
    it back. The power was chosen on noisy queries of one fingerprint: rank-1 was 44 % for the plain product, 50 % for
    power 1 (the cosine), 52 % for 1.5, and 56 % without quantization. Unit vectors stay as they are.
    """
    norms = np.linalg.norm(decoded, axis=-1, keepdims=True)
    level: NDArray[np.float32] = (decoded / np.maximum(norms, 1e-6) ** _LENGTH_POWER).astype(np.float32)
    return level
