"""The mean of updates of which none counts too much: clipped to a norm, with noise, and the norm that follows them.

Flower (1.41) has strategies for this. They are not used, for three reasons that its source shows: where the norm
adapts, it falls when many updates are clipped, so that still more are (the sign of Andrew et al. turned round), and the
noise is of the new norm while the updates were clipped to the old; they add noise after the server's own optimizer; and
they refuse an accountant that counts sampling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretraining.federated.config import FederationConfig

__all__ = ["NoisyMean", "clip", "noisy_mean", "update_multiplier"]

Arrays = Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class NoisyMean:
    """What the server learns of a round.

    Attributes
    ----------
    update : list of ndarray of float32
    share_within : float
        Of the expected clients, those whose update was no longer than the norm, with noise; outside [0, 1] at times.
    next_norm : float > 0
    """

    update: list[NDArray[np.float32]]
    share_within: float
    next_norm: float


def noisy_mean(
    updates: Sequence[Arrays], like: Arrays, norm: float, federation: FederationConfig, rng: np.random.Generator
) -> NoisyMean:
    """Return the clipped and noisy mean of updates, and the norm of the next round.

    Parameters
    ----------
    updates : sequence of sequence of ndarray
        Of each client that took part, perhaps none.
    like : sequence of ndarray
        Arrays of the updates' shapes.
    norm : float > 0
    federation : FederationConfig
    rng : numpy.random.Generator

    Notes
    -----
    The sum is divided by the expected number of clients, whoever came, so that a client changes it by no more than the
    norm over that number (the fixed denominator of McMahan et al. 2018, arXiv 1710.06963). The number of updates within
    the norm is counted from the middle: each client adds 1/2 or -1/2 (Andrew et al. 2021, arXiv 1905.03871,
    Algorithm 1).
    """
    expected = federation.clients_per_round
    total = [np.zeros(array.shape) for array in like]
    count = 0.0
    for update in updates:
        clipped, within = clip(update, norm)
        count += 0.5 if within else -0.5
        total = [part + array for part, array in zip(total, clipped, strict=True)]
    if federation.noise_multiplier:
        deviation = update_multiplier(federation) * norm
        total = [part + rng.normal(0.0, deviation, part.shape) for part in total]
        count += float(rng.normal(0.0, federation.count_deviation * expected))
    share = count / expected + 0.5
    following = norm
    if federation.clipping_quantile:
        following *= float(np.exp(-federation.clipping_rate * (share - federation.clipping_quantile)))
    return NoisyMean([(part / expected).astype(np.float32) for part in total], share, following)


def clip(update: Arrays, norm: float) -> tuple[list[NDArray[Any]], bool]:
    """Return an update made no longer than a norm, all its arrays as one vector, and whether it was so before."""
    length = float(np.sqrt(sum(np.sum(np.square(array, dtype=np.float64)) for array in update)))
    if length <= norm:
        return list(update), True
    return [array * (norm / length) for array in update], False


def update_multiplier(federation: FederationConfig) -> float:
    """Return the noise multiplier of the updates alone.

    With that of the count beside it, whose noise multiplier is its deviation over 1/2, both together protect as
    ``noise_multiplier`` does: the inverse squares add up (Andrew et al. 2021, arXiv 1905.03871, Theorem 1).
    """
    whole = federation.noise_multiplier
    if not whole or not federation.clipping_quantile:
        return whole
    of_count = 2 * federation.count_deviation * federation.clients_per_round
    return float((whole**-2 - of_count**-2) ** -0.5)
