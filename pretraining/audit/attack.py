"""The attack: a decoder that learns to rebuild log-mel images from what a database stores of them."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.training.loop import compile_for, fit
from fingerprinter.training.progress import checkpoint_state
from pretraining.audit.config import AuditConfig
from pretraining.audit.dataset import AttackDataset
from pretraining.audit.linear_inversion import LinearInversion, fit_linear_inversion
from pretraining.diffusion.decoder import RefinedDecoder

__all__ = ["Attack", "attack"]


class Attack(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A linear inversion and a :class:`RefinedDecoder` of stored vectors.

    Parameters
    ----------
    config : AuditConfig
    front_end : FrontEndConfig
        Of the audited model.
    inversion : LinearInversion
        Fitted to the same stored vectors; the first decoder begins with it.
    """

    def __init__(self, config: AuditConfig, front_end: FrontEndConfig, inversion: LinearInversion) -> None:
        super().__init__(name="attack")
        self.inversion, dim = inversion, len(inversion.slopes)
        self.decoder = RefinedDecoder(config.decoder, front_end, dim)
        self.decoder.begin_as(inversion.slopes / _unit(dim), inversion.offsets)

    def call(self, inputs: tuple[Any, ...]) -> Any:
        """Add the error of images, vectors, noise and times to the losses, and return it."""
        loss, _ = self.decoder.training_loss(*inputs)
        self.add_loss(loss)
        return loss

    def first_images(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first decoder's images of stored vectors: the mean of what could be."""
        return self.decoder.first_images(_scaled(stored))

    def sampled_images(
        self, stored: NDArray[np.float32], rng: np.random.Generator, *, n_steps: int
    ) -> NDArray[np.float32]:
        """Return one image of each stored vector that could be it."""
        return self.decoder.rebuild(_scaled(stored), rng, n_steps=n_steps)


def attack(
    config: AuditConfig,
    front_end: FrontEndConfig,
    dataset: AttackDataset,
    stored: NDArray[np.float32],
    run_dir: Path,
) -> Attack:
    """Return a decoder of one stored form, trained to the end of its schedule; a run that was stopped goes on.

    Parameters
    ----------
    config : AuditConfig
    front_end : FrontEndConfig
    dataset : AttackDataset
    stored : ndarray of float32, shape (n, dim)
        What is stored of the dataset's windows.
    run_dir : Path
        For checkpoints and log.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(config.seed)
    model = Attack(config, front_end, fit_linear_inversion(dataset, stored, config.words_share))
    n, vectors = config.images_per_step, _scaled(stored)

    def draw(rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        chosen = dataset.draw(n, config.words_share, rng)
        return dataset.images[chosen].astype(np.float32), vectors[chosen], *model.decoder.draw_noise(n, rng)

    model(draw(np.random.default_rng(config.seed)))
    compile_for(model, config)
    if checkpoint_state(run_dir)["step"] < config.n_steps:
        fit(model, draw, config, run_dir)
    else:
        model.load_weights(run_dir / "checkpoint.weights.h5")
    return model


def _scaled(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return unit vectors as numbers of about unit size."""
    return vectors * _unit(vectors.shape[1])


def _unit(dim: int) -> np.float32:
    return np.float32(np.sqrt(dim))
