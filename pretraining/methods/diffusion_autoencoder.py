"""Autoencoder with a diffusion decoder: rebuild a slice's log-mel from few numbers, and sample what they do not hold.

After "Sample What You Can't Compress" (Birodkar et al. 2024, arXiv 2409.02529), carried from pictures to log-mel. With
other weights of its losses it is what that paper compares with: a plain decoder, or one with a critic.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from fingerprinter.training.progress import checkpoint_state
from nowplaying_core.errors import ConfigError
from pretraining.clips import ClipSampler
from pretraining.config.run import EncoderConfig, PretrainingConfig
from pretraining.diffusion.critic import adversarial_loss, build_critic
from pretraining.diffusion.decoder import RefinedDecoder
from pretraining.diffusion.perceptual import PerceptualEncoder
from pretraining.encoder import embed
from pretraining.methods.pretext import Pretext

__all__ = ["DiffusionAutoencoder", "load_autoencoder", "unit_numbers"]


class DiffusionAutoencoder(Pretext):
    """The encoder and a :class:`RefinedDecoder`, learnt together; ``config.decoder`` says what the errors weigh.

    The mean squared and the perceptual error are of the first decoder's image where the refiner samples, and of the
    refiner's where it does not.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__(config)
        self.decoder = RefinedDecoder(config.decoder, config.front_end, config.encoder.dim)
        if config.decoder.perceptual_weight:
            self.perceptual_encoder = PerceptualEncoder(EncoderConfig(), config.front_end)
        self.critic = build_critic(config.decoder, config.front_end) if config.decoder.adversarial_weight else None

    def draw(self, clips: ClipSampler, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw one slice a clip, and the noise and the time at which the refiner sees each."""
        n = self.config.clips_per_step
        return (clips.slices(np.zeros((n, 1), np.int64), rng), *self.decoder.draw_noise(n, rng))

    def objective(self, *inputs: Any) -> Any:
        """Return the weighted sum of the losses."""
        slices, noise, times = inputs
        images, weights = self.images(slices), self.config.decoder
        loss, rebuilt = self.decoder.training_loss(images, unit_numbers(self.encoder(images)), noise, times)
        if self.perceptual_encoder is not None:
            loss += weights.perceptual_weight * self.perceptual_encoder.perceptual_loss(images, rebuilt)
        if self.critic is not None:
            loss += adversarial_loss(self.critic, images, rebuilt, weights.adversarial_weight, weights.matching_weight)
        return loss

    def rates(self) -> list[float]:
        """Return what the learning rate is multiplied by for each trainable variable: the critic has its own."""
        if self.critic is None:
            return []
        of_critic = {id(variable) for variable in self.critic.trainable_variables}
        rate = self.config.decoder.critic_rate
        return [rate if id(variable) in of_critic else 1.0 for variable in self.trainable_variables]

    def latents(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what is kept of images, shape (n, dim): rows of unit mean square."""
        rows: NDArray[np.float32] = np.asarray(unit_numbers(embed(self.encoder, images)), np.float32)
        return rows


def unit_numbers(rows: Any) -> Any:
    """Return rows scaled to a mean square of 1, so that no method can hide more in larger numbers."""
    return rows / ops.sqrt(ops.mean(ops.square(rows), axis=1, keepdims=True) + 1e-6)


def load_autoencoder(run_dir: Path) -> DiffusionAutoencoder:
    """Return a finished run's model.

    Raises
    ------
    ConfigError
        When the folder is no run's of this method, or the run has not ended.
    """
    config = PretrainingConfig.from_json(run_dir / "config.json")
    if config.method != "diffusion_autoencoder":
        message = f"{run_dir}: expected a run of diffusion_autoencoder, found one of {config.method}"
        raise ConfigError(message)
    if (step := checkpoint_state(run_dir)["step"]) < config.n_steps:
        message = f"{run_dir}: expected a finished run of {config.n_steps} steps, found one at step {step}; let it end"
        raise ConfigError(message)
    model = DiffusionAutoencoder(config)
    n, window = config.clips_per_step, config.front_end.window_samples
    model((np.zeros((n, 1, window), np.float32), *model.decoder.draw_noise(n, np.random.default_rng(0))))
    weights = run_dir / "checkpoint.weights.h5"
    try:
        model.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        message = f"{weights}: expected the weights of the run ({error}); let it end first"
        raise ConfigError(message) from error
    return model
