"""COLA: two slices of one clip must find each other among all clips, by a bilinear similarity.

Saeed et al. 2021 (arXiv 2010.10915), whose settings are known: two segments of one clip, a dense layer of 512 with
layer normalisation and tanh, a learned bilinear form instead of the cosine (74.3 against 67.2 % on average there).
Degrading the second view is ours.
"""

from typing import Any

import numpy as np
from keras import Sequential, layers, ops
from numpy.typing import NDArray

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext

__all__ = ["Cola"]


class Cola(Pretext):
    """Cross entropy of the right clip among a batch's.

    Reads ``clip_s``, ``units`` and ``degraded``.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        units = config.objective.units
        projection = [layers.Dense(units), layers.LayerNormalization(), layers.Activation("tanh")]
        self.projection = Sequential(projection, name="projection")
        self.bilinear = layers.Dense(units, use_bias=False, name="bilinear")

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw two slices anywhere in each clip."""
        latest = self.samples(self.config.objective.clip_s) - clips.window_samples
        offsets = rng.integers(0, latest + 1, (self.config.clips_per_step, 2))
        degraded = (1,) if self.config.objective.degraded else ()
        return (clips.slices(offsets, rng, degraded=degraded),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the loss where all clips are alike to it."""
        return {"nothing known": float(np.log(len(inputs[0])))}

    def objective(self, *inputs: Any) -> Any:
        """Return the mean cross entropy, in nats; ln(clips_per_step) where nothing is known."""
        slices = inputs[0]
        first, second = (self.projection(self.encoder(self.images(slices[:, view]))) for view in (0, 1))
        similarity = ops.matmul(first, ops.transpose(self.bilinear(second)))
        return ops.mean(ops.logsumexp(similarity, axis=1) - ops.diagonal(similarity))
