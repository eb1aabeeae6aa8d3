"""Autoencoder: rebuild a slice's log-mel from its own embedding. The baseline of Audio2Vec."""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.rebuilding import Rebuilding, error_levels

__all__ = ["Autoencoder"]


class Autoencoder(Rebuilding):
    """Mean squared error between a log-mel image and what a mirrored decoder makes of its embedding."""

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config, n_numbers=config.encoder.dim, n_images=1)

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw one slice a clip."""
        return (clips.slices(np.zeros((self.config.clips_per_step, 1), np.int64), rng),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the errors of answers without an encoder."""
        images = np.asarray(self.in_clips(self.images(inputs[0]), 1))[..., 0]
        return error_levels(images, images)

    def objective(self, *inputs: Any) -> Any:
        """Return the mean squared error in the front end's units."""
        images = self.images(inputs[0])
        return ops.mean(ops.square(self.rebuilt(self.encoder(images)) - images))
