"""Pretrain an encoder by any method: resumable, seeded, logged; the same code on the backends of Keras."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fingerprinter.training.loop import compile_for, fit, replace_weights
from fingerprinter.training.progress import checkpoint_state
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import check_given, init_run_dir, require_given, weights_id
from pretraining.config.run import LEVELS_NAME, PretrainingConfig
from pretraining.encoder import WEIGHTS_NAME, load_encoder
from pretraining.methods.pretext import Pretext
from pretraining.methods.random import random_encoder
from pretraining.methods.registry import METHODS

__all__ = ["build_pretext", "pretrain", "pretrain_once"]


def pretrain(
    config: PretrainingConfig,
    sources: TrainingSources,
    run_dir: Path,
    *,
    perceptual_encoder: Path | None = None,
    clips: Any = None,
    drawn_from: Mapping[str, Any] | None = None,
) -> Path:
    """Pretrain to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : PretrainingConfig
    sources : TrainingSources
        Of which the ``train`` split is used; only ``supervised`` reads labels.
    run_dir : Path
        Receives ``config.json``, ``levels.json`` (what the loss is measured by), ``checkpoint.weights.h5`` with
        ``checkpoint.json``, ``log.csv``, ``tensorboard``, and at the end ``encoder.weights.h5``, the encoder's last
        weights: without labels none are known to be the best.
    perceptual_encoder : Path, optional
        Finished run whose encoder compares images for the perceptual error.
    clips : object, optional
        What the method draws from, in place of all of the sources.
    drawn_from : mapping, optional
        What tells these clips from others, for the run's record.

    Returns
    -------
    Path
        The encoder's weights.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings, one that was given something else, or one that has ended; when a
        perceptual encoder is missing or not needed.
    """
    if config.method not in {"random", "supervised"}:  # the one hears nothing, the other reads what its tasks need
        sources.require("music", "noise", "speech", splits=["train"])
    if config.needs_perceptual_encoder != (perceptual_encoder is not None):
        wanted = "a run's folder for the perceptual error" if config.needs_perceptual_encoder else "none"
        message = f"--perceptual-encoder: expected {wanted}, found {perceptual_encoder or 'none'}"
        raise ConfigError(message)
    compared = None if perceptual_encoder is None else perceptual_encoder / WEIGHTS_NAME
    given = {"perceptual_encoder": weights_id(compared), **sources.counts(), **(drawn_from or {})}
    weights, begun = run_dir / WEIGHTS_NAME, checkpoint_state(run_dir)["step"] > 0
    if config.method == "random":
        init_run_dir(config, run_dir)
        replace_weights(random_encoder(config), weights)
        return weights

    def claim() -> None:
        init_run_dir(config, run_dir)
        check_given(run_dir, given, begun=begun)

    if (run_dir / "config.json").is_file():
        claim()
    if clips is None:
        clips = METHODS[config.method].sampler(config, sources)
    keras.utils.set_random_seed(config.seed)
    pretext = build_pretext(config, clips)
    if perceptual_encoder is not None:
        pretext.perceptual_encoder.take_weights(*load_encoder(perceptual_encoder))
    claim()  # settings that no model can be built of, or no sound is long enough for, leave a new folder to others
    if not begun or not (run_dir / LEVELS_NAME).is_file():
        write_json(run_dir / LEVELS_NAME, _levels(pretext, clips))
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
    """Pretrain as :func:`pretrain` does, unless the folder holds the ended run of these settings and recordings."""
    if (run_dir / WEIGHTS_NAME).is_file() and PretrainingConfig.from_json(run_dir / "config.json") == config:
        require_given(run_dir, sources.counts())
        return
    pretrain(config, sources, run_dir)


def _levels(pretext: Pretext, clips: Any) -> dict[str, float]:
    """Return the mean of a method's levels over batches that no training step draws."""
    config = pretext.config
    rngs = (np.random.default_rng([config.seed, config.n_steps, number]) for number in range(pretext.n_level_batches))
    found = [pretext.levels(*pretext.draw(clips, rng)) for rng in rngs]
    return {name: float(np.mean([levels[name] for levels in found])) for name in found[0]}


def build_pretext(config: PretrainingConfig, clips: Any) -> Pretext:
    """Return a method's model with its optimizer, both with all their weights, from what the method draws from."""
    pretext = METHODS[config.method](config)
    pretext(pretext.draw(clips, np.random.default_rng(config.seed)))
    compile_for(pretext, config, rates=pretext.rates())
    return pretext
