"""What both methods with codes share: clips as one image each, and the next code as what is learned."""

from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.audio.sources import TrainingSources
from pretraining.clips import ClipSampler
from pretraining.codes.encoder import clip_front_end
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext
from pretraining.sounds import clip_sampler

__all__ = ["NextCode"]


class NextCode(Pretext):
    """A causal transformer expects each code of a clip from those before it; a subclass says where codes come from.

    Reads ``clip_s`` and ``[codes]``.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        self.log_mel = LogMel(clip_front_end(config), name="log_mel")
        self.quantizer, self.transformer = (self.encoder.get_layer(name) for name in ("codes", "transformer"))

    @classmethod
    def sampler(cls, config: PretrainingConfig, sources: TrainingSources) -> ClipSampler:
        """Return the sampler of whole clips: recordings that are shorter are left out."""
        return clip_sampler(replace(config, front_end=clip_front_end(config)), sources)

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw clips."""
        return (clips.slices(np.zeros((self.config.clips_per_step, 1), np.int64), rng)[:, 0],)

    def levels(self, *inputs: Any) -> dict[str, float]:  # noqa: ARG002
        """Return the cross entropy where all codes are alike likely."""
        return {"nothing known": float(np.log(self.config.codes.n_codes))}

    def surprise(self, codes: Any) -> Any:
        """Return the mean cross entropy of each clip's codes but the first, in nats."""
        logits = self.transformer.logits(self.transformer(codes))[:, :-1]
        right = ops.take_along_axis(logits, codes[:, 1:, None], axis=2)[..., 0]
        return ops.mean(ops.logsumexp(logits, axis=2) - right)
