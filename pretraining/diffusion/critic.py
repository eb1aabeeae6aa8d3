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
    """Build a critic of images, (n_batch, n_mels, n_frames, 1).

    Returns
    -------
    keras.Model
        Of images; gives the activations of each of its layers, and last one number for each square of an image.
    """

    def convolved(features: Any, channels: int, size: int, *, strides: int, name: str) -> Any:
        layer = layers.Conv2D(channels, size, strides=strides, padding="same", name=name)
        return (layers.SpectralNormalization(layer, name=f"{name}_by_norm") if config.critic_spectral else layer)(
            features
        )

    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features, seen = image, []
    for index, channels in enumerate(config.critic_channels):
        features = convolved(features, channels, 4, strides=2, name=f"conv{index}")
        if index and not config.critic_spectral:
            features = layers.LayerNormalization(name=f"norm{index}")(features)
        features = layers.LeakyReLU(0.2, name=f"relu{index}")(features)
        seen.append(features)
    return keras.Model(image, [*seen, convolved(features, 1, 3, strides=1, name="judged")], name="critic")


def adversarial_loss(critic: keras.Model, real: Any, rebuilt: Any, weight: float, matching_weight: float = 0.0) -> Any:
    """Return the hinge loss of the critic, and what it teaches the decoder, as one scalar.

    Parameters
    ----------
    critic : keras.Model
        As :func:`build_critic` builds it.
    real, rebuilt : tensor, shape (n_batch, n_mels, n_frames, 1)
    weight : float
        Of the decoder's part, ``-critic(rebuilt)``.
    matching_weight : float
        Of the mean absolute difference of activations on both images, averaged over layers.

    Notes
    -----
    The decoder's parts have their own values taken off again on images that pass no gradient: what they ask of the
    critic's weights cancels, what they ask of the decoder stays. All images pass the critic at once, since each pass
    moves the spectral norms that are known of its kernels.
    """
    n = ops.shape(real)[0]
    outputs = critic(ops.concatenate([real, ops.stop_gradient(rebuilt), rebuilt]))
    *layers_of_real, of_real = [output[:n] for output in outputs]
    *layers_of_held, of_held = [output[n : 2 * n] for output in outputs]
    *layers_of_rebuilt, of_rebuilt = [output[2 * n :] for output in outputs]
    loss = ops.mean(ops.relu(1.0 - of_real)) + ops.mean(ops.relu(1.0 + of_held))
    loss += weight * (ops.mean(of_held) - ops.mean(of_rebuilt))
    if matching_weight:
        differences = _difference(layers_of_real, layers_of_rebuilt) - _difference(layers_of_real, layers_of_held)
        loss += matching_weight * differences
    return loss


def _difference(some: list[Any], others: list[Any]) -> Any:
    return sum(ops.mean(ops.abs(a - b)) for a, b in zip(some, others, strict=True)) / len(some)
