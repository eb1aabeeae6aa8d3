"""A device's secret rotation of its fingerprints, and how somebody without it finds it out.

A rotation changes no angle between two stored vectors. So the database still says how alike any two places of a song
are, and that alone tells which song it is to somebody who owns a copy; and songs that are known tell the rotation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes

from nowplaying_core.errors import ConfigError

__all__ = ["found_by_self_similarity", "learned_rotation", "secret_rotation"]

Rows = NDArray[np.float32]


def secret_rotation(dim: int, rng: np.random.Generator) -> Rows:
    """Return a rotation drawn evenly from all (Mezzadri 2007), shape (dim, dim)."""
    turned, triangle = np.linalg.qr(rng.standard_normal((dim, dim)))
    return np.asarray(turned * np.sign(np.diag(triangle)), np.float32)


def learned_rotation(own: Rows, stored: Rows) -> Rows:
    """Return the rotation that turns an attacker's own vectors best into stored ones (Schoenemann 1966).

    Parameters
    ----------
    own, stored : ndarray of float32, shape (n, dim)
        Of the same places of the same songs.
    """
    rotation, _ = orthogonal_procrustes(own.astype(np.float64), stored.astype(np.float64))
    return np.asarray(rotation, np.float32)


def found_by_self_similarity(stored: Sequence[Rows], copies: Sequence[Rows], n: int) -> NDArray[np.int64]:
    """Return for each stored song the number of the copy whose places are alike in the same way.

    Parameters
    ----------
    stored : sequence of ndarray of float32, each of shape (n_fingerprints, dim)
        Songs as they are stored, turned by whatever rotation.
    copies : sequence of ndarray of float32, each of shape (n_fingerprints, dim)
        What the attacker made of recordings.
    n : int >= 3
        First fingerprints of a song that are compared.

    Raises
    ------
    ConfigError
        When a song has fewer.
    """
    if min(map(len, (*stored, *copies))) < n:
        message = f"self-similarity: expected songs of at least {n} fingerprints, found a shorter one"
        raise ConfigError(message)
    unlike = np.stack([_self_similarity(song[:n]) for song in stored])
    found: NDArray[np.int64] = np.argmax(unlike @ np.stack([_self_similarity(song[:n]) for song in copies]).T, axis=1)
    return found


def _self_similarity(vectors: Rows) -> NDArray[np.float64]:
    """Return how alike each two places are, less the mean, as a unit vector."""
    alike = (vectors.astype(np.float64) @ vectors.T)[np.triu_indices(len(vectors), 1)]
    less = alike - alike.mean()
    unit: NDArray[np.float64] = less / max(float(np.linalg.norm(less)), 1e-12)
    return unit
