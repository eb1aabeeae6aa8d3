"""Audio2Vec: of slices that follow each other, rebuild the middle one from those around it (CBoW), or these from it.

Tagliasacchi et al. 2019 (arXiv 1905.11796). The tasks are the abstract's; number of slices, gaps and decoder are a
reconstruction of the idea.
"""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.rebuilding import Rebuilding, error_levels

__all__ = ["Audio2VecCbow", "Audio2VecSkipgram"]


class _Audio2Vec(Rebuilding):
    """The embeddings of some slices, side by side, give the log-mel of the others; mean squared error.

    Reads ``n_context`` and ``gap_s``.

    Parameters
    ----------
    config : PretrainingConfig
    known, wanted : list of int
        Numbers of the slices that the encoder is given, and of those that are rebuilt.
    """

    def __init__(self, config: PretrainingConfig, *, known: list[int], wanted: list[int]) -> None:
        super().__init__(config, n_numbers=len(known) * config.encoder.dim, n_images=len(wanted))
        self._known, self._wanted = known, wanted

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw slices that do not overlap.

        ``gap_s`` lies between them, so that no slice is recognized by its neighbour's edge.
        """
        config = self.config
        step = config.front_end.window_samples + self.samples(config.objective.gap_s)
        starts = np.arange(2 * config.objective.n_context + 1, dtype=np.int64) * step
        return (clips.slices(np.tile(starts, (config.clips_per_step, 1)), rng),)

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the errors of answers without an encoder."""
        images = np.asarray(self.in_clips(self.images(inputs[0]), inputs[0].shape[1]))[..., 0]
        return error_levels(images[:, self._wanted], images[:, self._known])

    def objective(self, *inputs: Any) -> Any:
        """Return the mean squared error of the wanted slices in the front end's units."""
        known, wanted = (ops.take(inputs[0], np.array(numbers), axis=1) for numbers in (self._known, self._wanted))
        embeddings = ops.reshape(self.encoder(self.images(known)), (-1, len(self._known) * self.config.encoder.dim))
        # (n_clips, n_slices, n_mels, n_frames, 1) to the decoder's (n_clips, n_mels, n_frames, n_slices)
        images = ops.squeeze(self.in_clips(self.images(wanted), len(self._wanted)), -1)
        return ops.mean(ops.square(self.rebuilt(embeddings) - ops.transpose(images, (0, 2, 3, 1))))


class Audio2VecCbow(_Audio2Vec):
    """The slices around the middle one give it."""

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config, known=_around(config), wanted=[config.objective.n_context])


class Audio2VecSkipgram(_Audio2Vec):
    """The middle slice gives those around it."""

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config, known=[config.objective.n_context], wanted=_around(config))


def _around(config: PretrainingConfig) -> list[int]:
    """Return the numbers of the slices around the middle one."""
    middle = config.objective.n_context
    return [number for number in range(2 * middle + 1) if number != middle]
