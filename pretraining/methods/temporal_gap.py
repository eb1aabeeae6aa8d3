"""TemporalGap: tell how far apart two slices of one clip are.

Tagliasacchi et al. 2019 (arXiv 1905.11796). The task is the abstract's; head and loss are a reconstruction of the idea.
"""

from typing import Any

import numpy as np
from keras import Sequential, layers, ops
from numpy.typing import NDArray
from scipy.special import xlogy

from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext

__all__ = ["TemporalGap"]


class TemporalGap(Pretext):
    """Two embeddings, a hidden layer, and the logistic function give the gap as a share of the largest.

    Reads ``clip_s``, beyond which no slice reaches, ``units`` and ``compared``. The loss is the cross entropy of a
    share in [0, 1], which is least where the answer equals it; its least value is the share's entropy, not zero.
    """

    n_level_batches = 16

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        self.head = Sequential([layers.Dense(config.objective.units, activation="relu"), layers.Dense(1)], name="head")

    @classmethod
    def shortest_s(cls, config: PretrainingConfig) -> float:
        """Return the seconds of a recording that holds the largest gap.

        Were shorter ones drawn for short gaps alone, the kind of sound would tell the gap without any comparison.
        """
        return config.objective.clip_s

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw two slices a clip in random order, and their gap as a share, shape (clips_per_step, 1)."""
        n_clips = self.config.clips_per_step
        largest = self.samples(self.config.objective.clip_s) - clips.window_samples
        gaps = rng.integers(0, largest + 1, n_clips)
        offsets = np.stack([np.zeros(n_clips, np.int64), gaps], axis=1)
        turned = rng.random(n_clips) < 0.5
        offsets[turned] = offsets[turned, ::-1]
        return clips.slices(offsets, rng), (gaps / largest).astype(np.float32)[:, None]

    def levels(self, *inputs: Any) -> dict[str, float]:
        """Return the loss of the mean share whatever the slices, and that of the true share: the floor."""
        share = inputs[1].astype(np.float64)

        def surprise(answer: Any) -> float:
            return float(-(xlogy(share, answer) + xlogy(1 - share, 1 - answer)).mean())

        return {"nothing known": surprise(share.mean()), "floor": surprise(share)}

    def objective(self, *inputs: Any) -> Any:
        """Return the mean cross entropy of the share, in nats."""
        slices, share = inputs
        embeddings = self.encoder(self.images(slices))
        pairs = self.in_clips(embeddings, 2)
        if self.config.objective.compared == "difference":
            seen = ops.abs(pairs[:, 0] - pairs[:, 1])
        else:
            seen = ops.reshape(pairs, (-1, 2 * self.config.encoder.dim))
        return ops.mean(ops.binary_crossentropy(share, self.head(seen), from_logits=True))
