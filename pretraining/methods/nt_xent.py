"""NT-Xent: a slice must find its own degraded copy among all others.

The contrastive branch of Verma & Smith 2020 (arXiv 2010.11459), of which the abstract is known: augmented copies that
keep pitch and timbre are pulled together as in SimCLR (Chen et al. 2020). A reconstruction of the idea.
"""

from typing import Any

import numpy as np
from keras import Sequential, layers, ops
from numpy.typing import NDArray

from fingerprinter.encoders.head import UnitNorm
from fingerprinter.objectives.nt_xent import nt_xent
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext

__all__ = ["NtXent"]


class NtXent(Pretext):
    """Cosine similarity after a projection of one hidden layer, which is thrown away with the training.

    Reads ``temperature``, ``units`` and ``degraded``; without the last both views are the same sound.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        projection = [layers.Dense(config.objective.units, activation="relu"), layers.Dense(64), UnitNorm()]
        self.projection = Sequential(projection, name="projection")

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw each slice twice, the second time degraded."""
        degraded = (1,) if self.config.objective.degraded else ()
        return (clips.slices(np.zeros((self.config.clips_per_step, 2), np.int64), rng, degraded=degraded),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the loss where all views but a slice's own are alike to it."""
        return {"nothing known": float(np.log(2 * len(inputs[0]) - 1))}

    def objective(self, *inputs: Any) -> Any:
        """Return the mean cross entropy over both views."""
        embeddings = self.encoder(self.images(ops.transpose(inputs[0], (1, 0, 2))))
        return nt_xent(self.projection(embeddings), self.config.objective.temperature)
