"""What a decoder is worth: its errors, its distance from real sound by steps, and how its latent can be modelled."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import student
from pretraining.config.run import PretrainingConfig
from pretraining.diffusion.distance import fingerprints, kernel_distance
from pretraining.diffusion.latents import LatentModel
from pretraining.diffusion.patches import draw_images
from pretraining.methods.diffusion_autoencoder import load_autoencoder, unit_numbers

__all__ = ["MeasureSettings", "RealWindows", "anchors", "drawn_latents", "measure"]

_log = logging.getLogger(__name__)

_BLURS = (0.0, 0.5, 1.0, 2.0, 4.0)
_BLURS_UNDER_NOISE = (2.0, 4.0)
_SPREAD_OF = 128  # images, rebuilt twice


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureSettings:
    """The protocol.

    Attributes
    ----------
    n_images : int
        Rebuilt, and as many others that they are held against.
    n_latents : int
        That the latent model learns from.
    latent_steps : int
        0 leaves the latent model out.
    n_steps : int
        Of sampling, in the table.
    curve : tuple of int
        Other numbers of steps.
    """

    n_images: int = 5120
    n_latents: int = 20_480
    latent_steps: int = 4000
    n_steps: int = 10
    curve: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if min(self.n_images, self.n_latents, self.n_steps, *self.curve, 1) < 1 or self.n_images < 4:
            message = f"expected at least four images, and numbers of steps from 1, found {self}"
            raise ConfigError(message)


class RealWindows:
    """Windows of the ``dev`` split, the same for all rows of one seed, with their fingerprints.

    Attributes
    ----------
    images : ndarray of float32, shape (n, n_mels, n_frames, 1)
        Windows to rebuild.
    own, reference : ndarray of float32, shape (n, dim)
        Fingerprints of those windows, and of as many others.
    """

    def __init__(self, config: PretrainingConfig, sources: TrainingSources, n_images: int) -> None:
        self._model, self._sources, self._known = Fingerprinter.from_model(), sources, np.zeros(0, np.float32)
        self._config = config
        others, self.images = draw_images(config, sources, "dev", (n_images, n_images))
        self.reference, self.own = self.fingerprints(others), self.fingerprints(self.images)

    def known(self, n: int) -> NDArray[np.float32]:
        """Return windows of the ``train`` split, for latent models to learn from; drawn once."""
        if len(self._known) != n:
            (self._known,) = draw_images(self._config, self._sources, "train", (n,))
        return self._known

    def fingerprints(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the shipped fingerprinter's vectors of images."""
        return fingerprints(self._model, images)

    def compare(self, rebuilt: NDArray[np.float32]) -> dict[str, Any]:
        """Return the errors of rebuilt images."""
        vectors = self.fingerprints(rebuilt)
        return {
            "mse": float(np.mean((rebuilt - self.images) ** 2)),
            "distance": kernel_distance(self.reference, vectors).to_dict(),
            "own_window_first": float(np.mean(np.argmax(vectors @ self.own.T, axis=1) == np.arange(len(self.own)))),
        }


def measure(run_dir: Path, settings: MeasureSettings, windows: RealWindows) -> dict[str, Any]:
    """Measure a finished run of ``diffusion_autoencoder`` on the ``dev`` split.

    Returns
    -------
    dict
        ``seed`` of the run; ``n_parameters`` of encoder and decoder; ``steps``, one record of errors for each number of
        steps; ``spread``, root mean square between two samples of one latent; ``latent``, of the model of latents;
        ``measuring_cpu_s``, seconds of a core.
    """
    started, model, rng = time.process_time(), load_autoencoder(run_dir), np.random.default_rng(7)
    latents = model.latents(windows.images)
    steps = sorted({settings.n_steps, *settings.curve}) if model.decoder.samples else [1]
    result: dict[str, Any] = {
        "seed": model.config.seed,
        "n_parameters": {
            "encoder": int(model.encoder.count_params()),
            "first": int(model.decoder.first.count_params()),
            "refiner": int(model.decoder.refiner.count_params()),
        },
        "n_images": settings.n_images,
        "training_steps": model.config.n_steps,
        "clips_per_step": model.config.clips_per_step,
        "variance": float(windows.images.var()),
        "first_mse": float(np.mean((model.decoder.first_images(latents) - windows.images) ** 2)),
        "steps": [],
    }
    for n_steps in steps:
        rebuilt = model.decoder.rebuild(latents, rng, n_steps=n_steps)
        row = {
            "n_steps": n_steps,
            "in_table": n_steps == settings.n_steps or not model.decoder.samples,
            **windows.compare(rebuilt),
        }
        _log.info("%s: %s", run_dir.name, row)
        result["steps"].append(row)
        if row["in_table"]:
            again = model.decoder.rebuild(latents[:_SPREAD_OF], rng, n_steps=n_steps)
            result["spread"] = float(np.sqrt(np.mean((rebuilt[:_SPREAD_OF] - again) ** 2)))
    if settings.latent_steps:
        rows, rng = model.latents(windows.known(settings.n_latents)), np.random.default_rng(11)
        latent = LatentModel(rows, n_steps=settings.latent_steps, seed=model.config.seed)
        made_up = drawn_latents(latent, len(windows.reference), rng)
        drawn = model.decoder.rebuild(made_up, rng, n_steps=settings.n_steps)
        result["latent"] = {
            "validation_loss": student(latent.validation_losses(latents, rng)).to_dict(),
            "sample_distance": kernel_distance(windows.reference, windows.fingerprints(drawn)).to_dict(),
        }
    result["measuring_cpu_s"] = time.process_time() - started
    return result


def drawn_latents(latent: LatentModel, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return rows drawn from a model of latents, of unit mean square as all rows that a decoder has learned from."""
    rows: NDArray[np.float32] = np.asarray(unit_numbers(latent.sample(n, rng)), np.float32)
    return rows


def anchors(windows: RealWindows) -> list[dict[str, Any]]:
    """Measure real windows as if they were rebuilt: blurred more and more, and with noise for what the blur took.

    The first are the scale of the distance; the last show what of it noise alone brings.

    Returns
    -------
    list of dict
        ``blur``, standard deviation in bands and frames, ``noise``, standard deviation of what was added to each pixel,
        and ``mse``, ``distance`` and ``own_window_first`` as :func:`measure` gives them.
    """
    rng, found = np.random.default_rng(13), []
    for blur, with_noise in (*((blur, False) for blur in _BLURS), *((blur, True) for blur in _BLURS_UNDER_NOISE)):
        images = gaussian_filter(windows.images, (0.0, blur, blur, 0.0))
        noise = float(np.std(windows.images - images)) if with_noise else 0.0
        images = images + np.float32(noise) * rng.standard_normal(images.shape, np.float32)
        found.append({"blur": blur, "noise": noise, **windows.compare(images)})
    return found
