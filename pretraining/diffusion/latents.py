"""A small diffusion model of latents, which measures how easily a latent is modelled."""

import logging

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fingerprinter.training.loop import learning_rate, prefetch
from pretraining.diffusion.process import asked_for, noisy
from pretraining.diffusion.refiner import time_features
from pretraining.diffusion.sampler import sampled

__all__ = ["LatentModel"]

_log = logging.getLogger(__name__)

_WIDTH, _BLOCKS, _TIME_FEATURES = 256, 3, 32
_BATCH, _PEAK, _WARMUP = 256, 1e-3, 50
_TIMES = 16  # of the validation loss, for each latent
_STEPS = 50


class LatentModel:
    """Diffusion with v-prediction over rows of numbers, standardised one by one.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, dim)
        To learn from.
    n_steps, seed : int
    """

    def __init__(self, rows: NDArray[np.float32], *, n_steps: int, seed: int) -> None:
        self._mean, self._scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        keras.utils.set_random_seed(seed)
        self._model = _network(rows.shape[1])
        self._model.compile(
            keras.optimizers.Adam(_PEAK), "mse", jit_compile="auto" if keras.config.backend() == "jax" else False
        )
        standard = self._standard(rows)

        def draw(rng: np.random.Generator) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
            return _task(standard[rng.integers(len(standard), size=_BATCH)], rng)

        for step, (seen, wanted) in prefetch(draw, seed=seed, steps=range(n_steps)):
            self._model.optimizer.learning_rate = learning_rate(step, peak=_PEAK, n_warmup=_WARMUP, n_steps=n_steps)
            loss = self._model.train_on_batch(seen, wanted)
            if (step + 1) % 500 == 0:
                _log.info("latent model: step %d, loss %.4f", step + 1, float(loss))

    def validation_losses(self, rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the mean squared error of other rows, shape (n,), each at sixteen times; 1 is knowing nothing."""
        total = np.zeros(len(rows))
        for _ in range(_TIMES):
            seen, wanted = _task(self._standard(rows), rng)
            total += np.mean((self._model.predict(seen, batch_size=1024, verbose=0) - wanted) ** 2, axis=1)
        mean: NDArray[np.float64] = total / _TIMES
        return mean

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return new rows, shape (n, dim)."""
        noise = rng.standard_normal((n, len(self._mean)), np.float32)
        drawn = sampled(
            lambda seen, time: self._model.predict([seen, time], batch_size=1024, verbose=0), noise, "v", n_steps=_STEPS
        )
        rows: NDArray[np.float32] = drawn * self._scale + self._mean
        return rows

    def _standard(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        standard: NDArray[np.float32] = (rows - self._mean) / self._scale
        return standard


def _task(rows: NDArray[np.float32], rng: np.random.Generator) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    noise = rng.standard_normal(rows.shape, np.float32)
    time = ((rng.permutation(len(rows)) + rng.uniform(size=len(rows))) / len(rows)).astype(np.float32)[:, None]
    seen, wanted = noisy(rows, noise, time), asked_for("v", rows, noise, time)
    return [np.asarray(seen, np.float32), time], np.asarray(wanted, np.float32)


def _network(dim: int) -> keras.Model:
    seen, time = keras.Input((dim,), name="noisy"), keras.Input((1,), name="time")
    condition = layers.Dense(_WIDTH, activation="gelu", name="condition")(time_features(time, _TIME_FEATURES))
    features = layers.Dense(_WIDTH, name="in")(seen)
    for index in range(_BLOCKS):
        hidden = layers.LayerNormalization(center=False, scale=False, name=f"norm{index}")(features)
        hidden = hidden * (layers.Dense(_WIDTH, name=f"scale{index}")(condition) + 1.0)
        hidden = hidden + layers.Dense(_WIDTH, name=f"shift{index}")(condition)
        hidden = layers.Dense(2 * _WIDTH, activation="gelu", name=f"wide{index}")(hidden)
        features = features + layers.Dense(_WIDTH, kernel_initializer="zeros", name=f"narrow{index}")(hidden)
    given = layers.Dense(dim, name="out")(layers.LayerNormalization(name="norm")(features))
    return keras.Model([seen, time], given, name="latent_model")
