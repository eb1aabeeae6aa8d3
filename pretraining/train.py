"""Pretrain an ear by any method: resumable, seeded, logged; the same code on the backends of Keras."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fingerprinter.loop import learning_rate, prefetch, replace_weights, write_checkpoint
from fingerprinter.progress import RunLog, checkpoint_state
from fingerprinter.sources import TrainingSources
from nowplaying.artifacts import write_json
from nowplaying.errors import ConfigError
from pretraining.config import PretrainingConfig
from pretraining.ear import WEIGHTS_NAME
from pretraining.methods.pretext import Pretext
from pretraining.methods.random import random_ear
from pretraining.methods.registry import METHODS

__all__ = ["build_pretext", "pretrain"]

_log = logging.getLogger(__name__)


def pretrain(
    config: PretrainingConfig, sources: TrainingSources, run_dir: Path, *, report: Callable[[str], None] = _log.info
) -> Path:
    """Pretrain to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : PretrainingConfig
    sources : TrainingSources
        Of which the ``train`` split is used; only ``supervised`` reads labels.
    run_dir : Path
        Receives ``config.json``, ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv``, ``tensorboard``, and
        at the end ``encoder.weights.h5``, the ear's last weights: without labels none are known to be the best.
    report : callable
        Receives one line of progress at a time.

    Returns
    -------
    Path
        The ear's weights.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings, or one that has ended.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    _claim(config, run_dir)
    weights = run_dir / WEIGHTS_NAME
    if config.method == "random":
        replace_weights(random_ear(config), weights)
        return weights
    clips = METHODS[config.method].sampler(config, sources, report)
    keras.utils.set_random_seed(config.seed)
    pretext = build_pretext(config, clips)
    step = _resume(config, pretext, run_dir, report)
    if not step:
        pretext.prepare(clips)
    log, losses, started, first_step = RunLog(run_dir), [], time.monotonic(), step
    batches = prefetch(lambda rng: pretext.draw(clips, rng), seed=config.seed, steps=range(first_step, config.n_steps))
    for step, inputs in batches:
        pretext.optimizer.learning_rate = rate = learning_rate(
            step, peak=config.learning_rate, n_warmup=config.warmup_steps, n_steps=config.n_steps
        )
        losses.append(float(pretext.train_on_batch(inputs)))
        done = step + 1
        if done % config.checkpoint_every == 0 or done == config.n_steps:
            row: dict[str, float] = {"step": done, "loss": float(np.mean(losses)), "learning_rate": rate}
            row["seconds_per_step"] = (time.monotonic() - started) / (done - first_step)
            losses.clear()
            log.append(row)
            report(json.dumps(row))
            if done == config.n_steps:
                replace_weights(pretext.ear, weights)
            write_checkpoint(pretext, run_dir, {"step": done})
    return weights


def build_pretext(config: PretrainingConfig, clips: Any) -> Pretext:
    """Return a method's model with its optimizer, both with all their weights, from what the method draws from."""
    pretext = METHODS[config.method](config)
    pretext(pretext.draw(clips, np.random.default_rng(config.seed)))
    pretext.compile(
        keras.optimizers.Adam(config.learning_rate),
        jit_compile="auto" if keras.config.backend() == "jax" else False,  # XLA is far slower on a CPU
    )
    pretext.optimizer.build(pretext.trainable_variables)
    return pretext


def _claim(config: PretrainingConfig, run_dir: Path) -> None:
    """Write the run's settings, unless they are those of another run: its weights would not be what they say."""
    path = run_dir / "config.json"
    if path.exists() and PretrainingConfig.from_json(path) != config:
        message = f"{path}: this folder holds a run of other settings; choose another run folder"
        raise ConfigError(message)
    write_json(path, config.to_dict())


def _resume(config: PretrainingConfig, pretext: Pretext, run_dir: Path, report: Callable[[str], None]) -> int:
    """Load the last checkpoint, if there is one, and return the step that the run has reached."""
    weights = run_dir / "checkpoint.weights.h5"
    step = int(checkpoint_state(run_dir)["step"]) if weights.exists() else 0
    if step >= config.n_steps:
        message = f"{run_dir}: this run has reached its {config.n_steps} steps; choose another run folder"
        raise ConfigError(message)
    if step:
        pretext.load_weights(weights)  # a compiled model's weights file holds the optimizer's state as well
        report(f"resuming at step {step}")
    return step
