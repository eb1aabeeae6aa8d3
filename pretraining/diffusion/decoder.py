"""The decoder in two parts: a deterministic first guess, and a refiner that samples the rest or sharpens it."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import EncoderConfig
from pretraining.decoder import build_decoder
from pretraining.diffusion.process import asked_for, loss_weight, noisy
from pretraining.diffusion.refiner import build_refiner
from pretraining.diffusion.sampler import sampled

__all__ = ["RefinedDecoder"]

_BATCH = 64


class RefinedDecoder(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Log-mel images from vectors of numbers.

    Parameters
    ----------
    config : DecoderConfig
    front_end : FrontEndConfig
        Of the images.
    n_numbers : int
        Of a vector.
    """

    def __init__(self, config: DecoderConfig, front_end: FrontEndConfig, n_numbers: int) -> None:
        super().__init__(name="refined_decoder")
        self.config, self.front_end, self.n_numbers = config, front_end, n_numbers
        self.first = _build_first(config, front_end, n_numbers)
        self.refiner = build_refiner(config, front_end)

    @property
    def samples(self) -> bool:
        """Whether the refiner samples; if not, one vector has one image."""
        return self.config.diffusion_weight > 0

    def begin_as(self, slopes: NDArray[np.float32], offsets: NDArray[np.float32]) -> None:
        """Set the first decoder's linear map, (n_numbers, n_pixels) and (n_pixels,), to one that is known already."""
        self.first.get_layer("straight").set_weights([slopes, offsets])

    def draw_noise(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Draw what a training step needs: noise images, and times in [0, 1), one in each of n equal parts."""
        images = rng.standard_normal((n, self.front_end.n_mels, self.front_end.n_frames, 1), np.float32)
        times = (rng.permutation(n) + rng.uniform(size=n)) / n  # spread evenly: less variance between steps
        return images, times.astype(np.float32)[:, None]

    def training_loss(self, images: Any, vectors: Any, noise: Any, times: Any) -> tuple[Any, Any]:
        """Return the weighted diffusion and squared errors, and the image that any further error is of.

        Where the refiner samples, that is the first guess; else the refiner's.
        """
        first, weights, loss = self.first(vectors), self.config, 0.0
        if self.samples:
            at = ops.reshape(times, (-1, 1, 1, 1))
            given = self.refiner([noisy(images, noise, at), first, times])
            error = ops.square(given - asked_for(weights.prediction, images, noise, at))
            loss, judged = weights.diffusion_weight * ops.mean(loss_weight(weights.prediction, at) * error), first
        else:
            judged = first + self.refiner([ops.zeros_like(first), first, ops.ones_like(times)])
        if weights.mse_weight:
            loss += weights.mse_weight * ops.mean(ops.square(judged - images))
        return loss, judged

    def call(self, vectors: Any) -> Any:
        """Return the first guesses; builds all weights."""
        return self.first(vectors)

    def rebuild(self, vectors: NDArray[np.float32], rng: np.random.Generator, *, n_steps: int) -> NDArray[np.float32]:
        """Return images of vectors.

        Parameters
        ----------
        vectors : ndarray of float32, shape (n, n_numbers)
        rng : numpy.random.Generator
            Draws the noise that sampling begins with.
        n_steps : int >= 1
            Of :func:`sampled`; no matter where the refiner does not sample.

        Returns
        -------
        ndarray of float32, shape (n, n_mels, n_frames, 1)
        """
        parts = [self._rebuilt(part, rng, n_steps) for part in _batches(vectors)]
        return np.concatenate(parts)[: len(vectors)]

    def first_images(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first decoder's images of vectors: where the refiner samples, the mean of what could be."""
        parts = [np.asarray(self.first.predict_on_batch(part)) for part in _batches(vectors)]
        return np.concatenate(parts)[: len(vectors)]

    def _rebuilt(self, vectors: NDArray[np.float32], rng: np.random.Generator, n_steps: int) -> NDArray[np.float32]:
        first = np.asarray(self.first.predict_on_batch(vectors))
        if not self.samples:
            ones = np.ones((len(first), 1), np.float32)
            sharpened: NDArray[np.float32] = first + self.refiner.predict_on_batch([np.zeros_like(first), first, ones])
            return sharpened
        return sampled(
            lambda seen, time: self.refiner.predict_on_batch([seen, first, time]),
            rng.standard_normal(first.shape, np.float32),
            self.config.prediction,
            n_steps=n_steps,
        )


def _build_first(config: DecoderConfig, front_end: FrontEndConfig, n_numbers: int) -> keras.Model:
    """Return the mirrored encoder plus a linear map, which learns at once what takes convolutions long: positions."""
    numbers = keras.Input((n_numbers,), name="numbers")
    mirror = EncoderConfig(channels=config.first_channels)
    # Loud music, quiet speech and single words in silence are in one batch: what is normalised over it ends worse.
    mirrored = build_decoder(mirror, front_end, n_numbers=n_numbers, n_images=1, normalised=False)
    shape = (front_end.n_mels, front_end.n_frames, 1)
    straight = layers.Dense(math.prod(shape), kernel_initializer="zeros", name="straight")(numbers)
    image = layers.Add(name="image")([mirrored(numbers), layers.Reshape(shape, name="straight_image")(straight)])
    return keras.Model(numbers, image, name="first")


def _batches(vectors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return batches of one size, the last filled up with zeros: a network is traced once for each size."""
    filled = np.pad(vectors, ((0, -len(vectors) % _BATCH), (0, 0)))
    return [filled[at : at + _BATCH] for at in range(0, len(filled), _BATCH)]
