"""The perceptual error: the difference of two images in the activations of a frozen encoder."""

from typing import Any

import keras
from keras import ops

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.run import EncoderConfig, PretrainingConfig
from pretraining.encoder import build_encoder

__all__ = ["PerceptualEncoder"]


class PerceptualEncoder(keras.Model):  # type: ignore[misc]  # Keras has no types
    """An encoder that does not learn.

    Parameters
    ----------
    encoder : EncoderConfig
    front_end : FrontEndConfig
    """

    def __init__(self, encoder: EncoderConfig, front_end: FrontEndConfig) -> None:
        super().__init__(name="perceptual_encoder", trainable=False)
        config = PretrainingConfig(method="random", front_end=front_end, encoder=encoder)
        self.encoder = build_encoder(config)
        blocks = range(1, len(encoder.channels) + 1)
        self.blocks = keras.Model(
            self.encoder.inputs, [self.encoder.get_layer(f"block{index}_time_relu").output for index in blocks]
        )
        self.encoder.trainable = self.blocks.trainable = False

    def take_weights(self, config: PretrainingConfig, encoder: keras.Model) -> None:
        """Take over a pretrained encoder's weights.

        Raises
        ------
        ConfigError
            When its front end or its size is another.
        """
        own = (self.encoder.input_shape, [weight.shape for weight in self.encoder.weights])
        if own != (encoder.input_shape, [weight.shape for weight in encoder.weights]):
            message = (
                f"the perceptual encoder expects an encoder of {own[0][1:3]} images and {self.encoder.count_params()} "
            )
            message += (
                f"weights, found one of {config.method} with {encoder.input_shape[1:3]} and {encoder.count_params()}"
            )
            raise ConfigError(message)
        self.encoder.set_weights(encoder.get_weights())

    def call(self, images: Any) -> Any:
        """Return the activations of all blocks."""
        return self.blocks(images, training=False)

    def perceptual_loss(self, images: Any, rebuilt: Any) -> Any:
        """Return the mean squared difference of activations, averaged over blocks."""
        pairs = zip(self(images), self(rebuilt), strict=True)
        return sum(ops.mean(ops.square(a - b)) for a, b in pairs) / len(self.blocks.outputs)
