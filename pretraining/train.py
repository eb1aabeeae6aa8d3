"""Pretrain an encoder by any method: resumable, seeded, logged; the same code on the backends of Keras."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from fingerprinter.training.loop import learning_rate, prefetch, replace_weights, write_checkpoint
from fingerprinter.training.progress import RunLog, checkpoint_state
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME, load_encoder
from pretraining.methods.pretext import Pretext
from pretraining.methods.random import random_encoder
from pretraining.methods.registry import METHODS

__all__ = ["Schedule", "build_pretext", "claim", "compile_for", "fit", "pretrain", "pretrain_once"]

_log = logging.getLogger(__name__)


class Schedule(Protocol):
    """What the loop reads of a run's settings."""

    @property
    def seed(self) -> int:
        """Of what is drawn."""

    @property
    def n_steps(self) -> int:
        """Of the whole run."""

    @property
    def learning_rate(self) -> float:
        """Peak of Adam's rate."""

    @property
    def warmup_steps(self) -> int:
        """Until the peak."""

    @property
    def checkpoint_every(self) -> int:
        """Steps."""


def pretrain(
    config: PretrainingConfig,
    sources: TrainingSources,
    run_dir: Path,
    *,
    perceptual_encoder: Path | None = None,
) -> Path:
    """Pretrain to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : PretrainingConfig
    sources : TrainingSources
        Of which the ``train`` split is used; only ``supervised`` reads labels.
    run_dir : Path
        Receives ``config.json``, ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv``, ``tensorboard``, and
        at the end ``encoder.weights.h5``, the encoder's last weights: without labels none are known to be the best.
    perceptual_encoder : Path, optional
        finished run whose encoder compares images for the perceptual error.

    Returns
    -------
    Path
        The encoder's weights.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings, or one that has ended; when a perceptual encoder is missing or
        not needed.
    """
    claim(config, run_dir)
    weights = run_dir / WEIGHTS_NAME
    if config.method == "random":
        replace_weights(random_encoder(config), weights)
        return weights
    clips = METHODS[config.method].sampler(config, sources)
    keras.utils.set_random_seed(config.seed)
    pretext = build_pretext(config, clips)
    if (pretext.perceptual_encoder is None) != (perceptual_encoder is None):
        message = "--perceptual-encoder: expected a run's folder for a perceptual error, else none; found "
        raise ConfigError(message + f"{perceptual_encoder}")
    if perceptual_encoder is not None:
        pretext.perceptual_encoder.take_weights(*load_encoder(perceptual_encoder))
    fit(
        pretext,
        lambda rng: pretext.draw(clips, rng),
        config,
        run_dir,
        at_start=lambda: pretext.prepare(clips),
        at_end=lambda: replace_weights(pretext.encoder, weights),
    )
    return weights


def pretrain_once(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain as :func:`pretrain` does, unless the folder holds the ended run of these settings."""
    if (run_dir / WEIGHTS_NAME).is_file() and PretrainingConfig.from_json(run_dir / "config.json") == config:
        return
    pretrain(config, sources, run_dir)


def fit(
    model: keras.Model,
    draw: Callable[[np.random.Generator], Any],
    schedule: Schedule,
    run_dir: Path,
    *,
    at_start: Callable[[], None] = lambda: None,
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Train a compiled model on what is drawn, from the run's last checkpoint to the end of its schedule.

    Parameters
    ----------
    model : keras.Model
        Adds what it minimises to its losses.
    draw : callable
        Returns a step's inputs.
    schedule : Schedule
    run_dir : Path
    at_start : callable
        Fits what no gradient reaches, before the first step of a run that has no checkpoint.
    at_end : callable
        Writes what is wanted of the model, before the last checkpoint says that the run has ended.

    Raises
    ------
    ConfigError
        When the run has ended.
    """
    step = _resume(schedule, model, run_dir)
    if not step:
        at_start()
    log, losses, started, first_step = RunLog(run_dir), [], time.monotonic(), step
    for step, inputs in prefetch(draw, seed=schedule.seed, steps=range(first_step, schedule.n_steps)):
        model.optimizer.learning_rate = rate = learning_rate(
            step, peak=schedule.learning_rate, n_warmup=schedule.warmup_steps, n_steps=schedule.n_steps
        )
        losses.append(float(model.train_on_batch(inputs)))
        done = step + 1
        if done % schedule.checkpoint_every == 0 or done == schedule.n_steps:
            row: dict[str, float] = {"step": done, "loss": float(np.mean(losses)), "learning_rate": rate}
            row["seconds_per_step"] = (time.monotonic() - started) / (done - first_step)
            losses.clear()
            log.append(row)
            _log.info(json.dumps(row))
            if done == schedule.n_steps:
                at_end()
            write_checkpoint(model, run_dir, {"step": done})


def build_pretext(config: PretrainingConfig, clips: Any) -> Pretext:
    """Return a method's model with its optimizer, both with all their weights, from what the method draws from."""
    pretext = METHODS[config.method](config)
    pretext(pretext.draw(clips, np.random.default_rng(config.seed)))
    compile_for(pretext, config)
    return pretext


def compile_for(model: keras.Model, schedule: Schedule) -> None:
    """Give a model with all its weights an optimizer with all its own."""
    model.compile(
        keras.optimizers.Adam(schedule.learning_rate),
        jit_compile="auto" if keras.config.backend() == "jax" else False,  # XLA is far slower on a CPU
    )
    model.optimizer.build(model.trainable_variables)


def claim(config: RunSettings, run_dir: Path) -> None:
    """Write the run's settings, unless they are those of another run: its weights would not be what they say.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / "config.json"
    if path.exists() and type(config).from_json(path) != config:
        message = f"{path}: this folder holds a run of other settings; choose another run folder"
        raise ConfigError(message)
    write_json(path, config.to_dict())


def _resume(schedule: Schedule, model: keras.Model, run_dir: Path) -> int:
    """Load the last checkpoint, if there is one, and return the step that the run has reached."""
    weights = run_dir / "checkpoint.weights.h5"
    step = int(checkpoint_state(run_dir)["step"]) if weights.exists() else 0
    if step >= schedule.n_steps:
        message = f"{run_dir}: this run has reached its {schedule.n_steps} steps; choose another run folder"
        raise ConfigError(message)
    if step:
        model.load_weights(weights)  # a compiled model's weights file holds the optimizer's state as well
        _log.info("resuming at step %d", step)
    return step
