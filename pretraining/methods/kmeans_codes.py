"""Next code over k-means: slices of log-mel are named by the nearest of a fitted codebook, and the names predicted.

The generative half of Verma and Smith 2020 (arXiv 2010.11459): audio at a small time scale becomes elements of a
dictionary, a transformer predicts the next, a linear classifier judges. All settings are a reconstruction of the idea.
"""

from typing import Any

import numpy as np
from keras import ops

from nowplaying_core.errors import needs_extra
from pretraining.clips import ClipSampler
from pretraining.codes.encoder import clip_front_end
from pretraining.codes.quantizer import slices
from pretraining.methods.next_code import NextCode

__all__ = ["KMeansCodes"]

_ITERATIONS = 30
_MOST_OF_A_CLIP = 50  # slices: neighbouring ones are much alike


class KMeansCodes(NextCode):
    """The codebook is fitted once before the first step; only the transformer is trained."""

    def prepare(self, clips: ClipSampler) -> None:
        """Fit the codebook to ``n_fitted`` slices, every clip giving as many."""
        with needs_extra("train", "the codebook"):
            from sklearn.cluster import KMeans
        rng = np.random.default_rng([self.config.seed, self.config.n_steps])  # no training step has this number
        wanted, found = self.config.codes, []
        of_a_clip = min(_MOST_OF_A_CLIP, clip_front_end(self.config).n_frames // wanted.slice_frames)
        n_clips = max(self.config.clips_per_step, -(-wanted.n_fitted // of_a_clip))
        for _ in range(-(-n_clips // self.config.clips_per_step)):
            rows = np.asarray(slices(self.log_mel(*self.draw(clips, rng)), wanted.slice_frames))
            kept = rng.permutation(rows.shape[1])[: -(-wanted.n_fitted // n_clips)]
            found.append(rows[:, kept].reshape(-1, rows.shape[2]))
        means = KMeans(wanted.n_codes, n_init=1, max_iter=_ITERATIONS, random_state=self.config.seed)
        self.quantizer.slices.assign(means.fit(np.concatenate(found)).cluster_centers_)

    def objective(self, *inputs: Any) -> Any:
        """Return the mean cross entropy of the next code, in nats; ln(n_codes) where nothing is known."""
        return self.surprise(ops.stop_gradient(self.quantizer(self.log_mel(inputs[0]))))
