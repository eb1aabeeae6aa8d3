"""The perceptual error: how differently a frozen ear hears two images, block by block."""

from typing import Any

import keras
from keras import ops

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config import EarConfig, PretrainingConfig
from pretraining.encoder import build_ear

__all__ = ["Listener"]


class Listener(keras.Model):  # type: ignore[misc]  # Keras has no types
    """An ear that does not learn.

    Parameters
    ----------
    ear : EarConfig
    front_end : FrontEndConfig
    """

    def __init__(self, ear: EarConfig, front_end: FrontEndConfig) -> None:
        super().__init__(name="listener", trainable=False)
        config = PretrainingConfig(method="random", front_end=front_end, ear=ear)
        self.ear = build_ear(config)
        blocks = range(1, len(ear.channels) + 1)
        self.blocks = keras.Model(
            self.ear.inputs, [self.ear.get_layer(f"block{index}_time_relu").output for index in blocks]
        )
        self.ear.trainable = self.blocks.trainable = False

    def hear_as(self, config: PretrainingConfig, ear: keras.Model) -> None:
        """Take over a pretrained ear's weights.

        Raises
        ------
        ConfigError
            When its front end or its size is another.
        """
        own = (self.ear.input_shape, [weight.shape for weight in self.ear.weights])
        if own != (ear.input_shape, [weight.shape for weight in ear.weights]):
            message = (
                f"the listener expects an ear of {self.ear.input_shape[1:3]} images and {self.ear.count_params()} "
            )
            message += f"weights, found one of {config.method} with {ear.input_shape[1:3]} and {ear.count_params()}"
            raise ConfigError(message)
        self.ear.set_weights(ear.get_weights())

    def call(self, images: Any) -> Any:
        """Return the activations of all blocks."""
        return self.blocks(images, training=False)

    def difference(self, images: Any, rebuilt: Any) -> Any:
        """Return the mean squared difference of activations, averaged over blocks."""
        pairs = zip(self(images), self(rebuilt), strict=True)
        return sum(ops.mean(ops.square(a - b)) for a, b in pairs) / len(self.blocks.outputs)
