"""The critic: distinguishes squares of real images from squares of rebuilt ones.

One loss trains both sides: Keras then needs one optimizer and one step, on every backend.
"""

from typing import Any

import keras
from keras import layers, ops

from fingerprinter.config import FrontEndConfig
from pretraining.config.decoder import DecoderConfig

__all__ = ["adversarial_loss", "build_critic"]


def build_critic(config: DecoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build a critic of images, (n_batch, n_mels, n_frames, 1), that gives one number for each square of them."""
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = image
    for index, channels in enumerate(config.critic_channels):
        features = layers.Conv2D(channels, 4, strides=2, padding="same", name=f"conv{index}")(features)
        if index:
            features = layers.LayerNormalization(name=f"norm{index}")(features)
        features = layers.LeakyReLU(0.2, name=f"relu{index}")(features)
    return keras.Model(image, layers.Conv2D(1, 3, padding="same", name="judged")(features), name="critic")


def adversarial_loss(critic: keras.Model, real: Any, rebuilt: Any, weight: float) -> Any:
    """Return the hinge loss of the critic, and ``weight`` times that of the decoder, as one scalar.

    Notes
    -----
    The decoder's part is ``-critic(rebuilt)`` with its own value added back on images that pass no gradient: what that
    asks of the critic's weights cancels, what it asks of the decoder stays.
    """
    held = ops.stop_gradient(rebuilt)
    of_held = critic(held)
    judging = ops.mean(ops.relu(1.0 - critic(real))) + ops.mean(ops.relu(1.0 + of_held))
    return judging + weight * (ops.mean(of_held) - ops.mean(critic(rebuilt)))
