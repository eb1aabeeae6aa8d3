"""Audio2Vec skip-gram: rebuild the slices before and after a slice from it.

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

__all__ = ["Audio2VecSkipgram"]


class Audio2VecSkipgram(Rebuilding):
    """The embedding of the middle gives the log-mel of its context; mean squared error.

    Reads ``n_context`` and ``gap_s``.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        around = others_than_middle(config.objective.n_context)
        super().__init__(config, n_numbers=config.encoder.dim, n_images=len(around))
        self._around = around

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw neighbouring slices."""
        return (clips.slices(neighbouring(self.config), rng),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the errors of answers without an encoder."""
        images = np.asarray(self.in_clips(self.images(inputs[0]), inputs[0].shape[1]))[..., 0]
        middle, around = images[:, [self.config.objective.n_context]], images[:, self._around]
        return error_levels(around, middle)

    def objective(self, *inputs: Any) -> Any:
        """Return the mean squared error of the context in the front end's units."""
        slices = inputs[0]
        around = self.images(ops.take(slices, np.array(self._around), axis=1))
        # (n_clips, n_slices, n_mels, n_frames, 1) to the decoder's (n_clips, n_mels, n_frames, n_slices)
        wanted = ops.transpose(ops.squeeze(self.in_clips(around, len(self._around)), -1), (0, 2, 3, 1))
        middle = self.images(slices[:, self.config.objective.n_context])
        return ops.mean(ops.square(self.rebuilt(self.encoder(middle)) - wanted))
