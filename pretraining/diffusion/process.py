"""The way from an image to noise and back: a cosine schedule, and the refiner's target on it.

At time t in [0, 1] an image x and unit noise e are seen as ``a x + s e`` with a = cos(pi t / 2) and s = sin(pi t / 2).
"""

import math
from typing import Any

from keras import ops

__all__ = ["asked_for", "estimates", "loss_weight", "noisy", "shares"]

_MOST_WEIGHT = 5.0  # of the signal-to-noise ratio, Hang et al. 2023 (arXiv 2303.09556)


def shares(time: Any) -> tuple[Any, Any]:
    """Return how much of image and noise is there at times of any shape, float32 in [0, 1]."""
    return ops.cos(time * (math.pi / 2)), ops.sin(time * (math.pi / 2))


def noisy(clean: Any, noise: Any, time: Any) -> Any:
    """Return images at their times; ``time`` has an axis of 1 wherever an image has more."""
    signal_share, noise_share = shares(time)
    return signal_share * clean + noise_share * noise


def asked_for(prediction: str, clean: Any, noise: Any, time: Any) -> Any:
    """Return what the refiner should give: the image (``x``), or ``v`` = a e - s x."""
    signal_share, noise_share = shares(time)
    return clean if prediction == "x" else signal_share * noise - noise_share * clean


def loss_weight(prediction: str, time: Any) -> Any:
    """Return what a squared error weighs: 1 for ``v``; for ``x`` the signal-to-noise ratio, at most 5."""
    if prediction == "v":
        return ops.ones_like(time)
    signal_share, noise_share = shares(time)
    return ops.minimum(ops.square(signal_share / ops.maximum(noise_share, 1e-4)), _MOST_WEIGHT)


def estimates(prediction: str, given: Any, seen: Any, time: Any) -> tuple[Any, Any]:
    """Return the image and the noise that a refiner's answer amounts to, at times above 0."""
    signal_share, noise_share = shares(time)
    clean = given if prediction == "x" else signal_share * seen - noise_share * given
    noise = (seen - signal_share * clean) / ops.maximum(noise_share, 1e-4)
    return clean, noise
