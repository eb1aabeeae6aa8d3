"""What every method is: a model that draws its own batches, and adds what it minimises to its losses."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.audio.sources import TrainingSources
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import build_encoder
from pretraining.sounds import clip_sampler

__all__ = ["Pretext"]


class Pretext(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Front end, encoder, and what a method needs beside them; a subclass says what it draws and what it minimises.

    Parameters
    ----------
    config : PretrainingConfig

    Attributes
    ----------
    perceptual_encoder : PerceptualEncoder or None
        A second, finished encoder, for the perceptual error.
    n_level_batches : int
        Batches that :meth:`levels` are averaged over, more than one where they depend on the sound.
    """

    perceptual_encoder: Any = None
    n_level_batches: int = 1

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(name=config.method)
        self.config = config
        self.log_mel = LogMel(config.front_end, name="log_mel")
        self.encoder = build_encoder(config)

    @classmethod
    def sampler(cls, config: PretrainingConfig, sources: TrainingSources) -> Any:
        """Return what the method draws from: clips of all sounds, unless it says otherwise."""
        return clip_sampler(config, sources, min_s=cls.shortest_s(config))

    @classmethod
    def shortest_s(cls, config: PretrainingConfig) -> float:
        """Return how many seconds a recording must have: a window's, unless the method says otherwise."""
        return config.front_end.window_s

    def prepare(self, clips: Any) -> None:
        """Fit what no gradient reaches, once, before the first step of a run; most methods have nothing of the kind."""

    def draw(self, clips: Any, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw a step's inputs; the first are slices, shape (clips_per_step, n_slices, window_samples)."""
        raise NotImplementedError

    def objective(self, *inputs: Any) -> Any:
        """Return the scalar that a step minimises, from what :meth:`draw` drew."""
        raise NotImplementedError

    def levels(self, *inputs: Any) -> dict[str, float]:  # noqa: ARG002
        """Return losses of a batch that mean something, by name, such as that of an answer that knows nothing."""
        return {}

    def call(self, inputs: tuple[Any, ...], training: bool | None = None) -> Any:  # noqa: ARG002, FBT001
        """Add the objective of a batch to the losses, and return it.

        Keras tells the layers inside whether they train only where ``call`` has this argument; without it the encoder
        would learn with the running statistics of its normalisation, which would never move.
        """
        value = self.objective(*inputs)
        self.add_loss(value)
        return value

    def rates(self) -> list[float]:
        """Return what the learning rate is multiplied by for each trainable variable, in order; none for one of all."""
        return []

    def images(self, slices: Any) -> Any:
        """Return the log-mel images of slices, (n_clips, n_slices, window_samples), clip by clip in one batch."""
        return self.log_mel(ops.reshape(slices, (-1, self.config.front_end.window_samples)))

    def in_clips(self, rows: Any, n_slices: int) -> Any:
        """Return rows of a batch of slices by clip: (n_clips, n_slices, ...)."""
        return ops.reshape(rows, (-1, n_slices, *rows.shape[1:]))

    def samples(self, seconds: float) -> int:
        """Return a time in samples."""
        return round(seconds * self.config.front_end.sample_rate_hz)
