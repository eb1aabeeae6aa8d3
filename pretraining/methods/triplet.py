"""Triplet: slices that lie near each other in time are alike, slices of other clips are not.

Nearness in time as the only label follows Jansen et al. 2018, "Unsupervised learning of semantic audio
representations", as far as it is known here (a reconstruction of the idea); the loss is the fingerprinter's, after
FaceNet.
"""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from fingerprinter.encoders.head import UnitNorm
from fingerprinter.objectives.triplet import semi_hard_triplet
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext

__all__ = ["Triplet"]


class Triplet(Pretext):
    """Semi-hard triplets within a batch over unit vectors.

    Reads ``near_s`` and ``margin``.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        self.unit = UnitNorm()

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw two slices a clip, at most ``near_s`` apart."""
        n_clips = self.config.clips_per_step
        shifts = rng.integers(1, self.samples(self.config.objective.near_s) + 1, n_clips)
        return (clips.slices(np.stack([np.zeros(n_clips, np.int64), shifts], axis=1), rng),)

    def objective(self, *inputs: Any) -> Any:
        """Return the mean triplet loss."""
        embeddings = self.unit(self.encoder(self.images(ops.transpose(inputs[0], (1, 0, 2)))))
        return semi_hard_triplet(embeddings, self.config.objective.margin)
