"""Audio2Vec CBoW: rebuild a slice from the slices before and after it.

Tagliasacchi et al. 2019 (arXiv 1905.11796). The task is the abstract's; number of slices, gaps and decoder are a
reconstruction of the idea.
"""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.context import error_levels, neighbouring, others_than_middle
from pretraining.methods.rebuilding import Rebuilding

__all__ = ["Audio2VecCbow"]


class Audio2VecCbow(Rebuilding):
    """The embeddings of the context, side by side, give the log-mel of the middle; mean squared error.

    Reads ``n_context`` and ``gap_s``.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        around = others_than_middle(config.objective.n_context)
        super().__init__(config, n_numbers=len(around) * config.encoder.dim, n_images=1)
        self._around = around

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw neighbouring slices."""
        return (clips.slices(neighbouring(self.config), rng),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the errors of answers without an encoder."""
        images = np.asarray(self.in_clips(self.images(inputs[0]), inputs[0].shape[1]))[..., 0]
        middle, around = images[:, [self.config.objective.n_context]], images[:, self._around]
        return error_levels(middle, around)

    def objective(self, *inputs: Any) -> Any:
        """Return the mean squared error of the middle slice in the front end's units."""
        slices = inputs[0]
        around = ops.take(slices, np.array(self._around), axis=1)
        embeddings = self.encoder(self.images(around))
        rebuilt = self.rebuilt(ops.reshape(embeddings, (-1, len(self._around) * self.config.encoder.dim)))
        middle = self.images(slices[:, self.config.objective.n_context])
        return ops.mean(ops.square(rebuilt - middle))
