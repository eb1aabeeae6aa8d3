"""What is usual in the sound at hand: running statistics of an encoder's normalisation, set without training it."""

from collections.abc import Iterable
from typing import Any

import keras

from fingerprinter.encoders.norm import BatchNorm

__all__ = ["settle"]


def settle(encoder: keras.Model, batches: Iterable[Any]) -> None:
    """Set the running means and variances of an encoder's normalisation to their mean over batches.

    Parameters
    ----------
    encoder : keras.Model
    batches : iterable of tensor of float32, shape (n, n_mels, n_frames, 1)
        Log-mel images.
    """
    norms = [layer for layer in encoder.layers if isinstance(layer, BatchNorm)]
    momenta = [layer.momentum for layer in norms]
    for number, images in enumerate(batches):
        for layer in norms:
            layer.momentum = number / (number + 1)
        encoder(images, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
