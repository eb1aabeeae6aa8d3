"""The head: a vector's signs along learned directions, and the vector that stands for a code."""

from typing import Any

import keras
from keras import layers, ops

from pretraining.config.bits import BitConfig

__all__ = ["SignBits", "build_head"]


def build_head(config: BitConfig) -> keras.Model:
    """Build a head with random weights: (n, dim) unit vectors to (n, n_bits) numbers whose signs are the bits."""
    vectors = keras.Input((config.dim,), name="fingerprint")
    return keras.Model(vectors, SignBits(config, name="bits")(vectors), name="head")


class SignBits(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Linear both ways, so that a search needs two matrices and no network.

    Parameters
    ----------
    config : BitConfig
    """

    def __init__(self, config: BitConfig, **options: Any) -> None:
        super().__init__(**options)
        self.config = config

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create both matrices; the way back begins as the way there."""
        del shape
        config = self.config
        start = keras.initializers.Orthogonal()((config.dim, config.n_bits))
        self.directions = self.add_weight(shape=(config.dim, config.n_bits), name="directions")
        self.offsets = self.add_weight(shape=(config.n_bits,), initializer="zeros", name="offsets")
        self.meanings = self.add_weight(shape=(config.n_bits, config.dim), name="meanings")
        self.directions.assign(start)
        self.meanings.assign(ops.transpose(start))

    def call(self, vectors: Any) -> Any:
        """Return how far vectors are on the positive side of each direction."""
        return ops.matmul(vectors, self.directions) + self.offsets

    def decode(self, signs: Any) -> Any:
        """Return unit vectors (n, dim) that stand for signs (n, n_bits) of -1 and 1."""
        rows = ops.matmul(signs, self.meanings)
        return rows / ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True) + 1e-12)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, n_bits)."""
        return (shape[0], self.config.n_bits)
