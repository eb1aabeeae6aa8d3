"""Train the encoder: resumable, seeded, logged; the same code on the TensorFlow and the JAX backend of Keras."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.loop import learning_rate, prefetch, replace_weights, write_checkpoint
from fingerprinter.training.model import Teacher, build_trainer, build_training_model, load_matching_weights
from fingerprinter.training.pairs import PairSampler, training_sampler
from fingerprinter.training.progress import RunLog, checkpoint_state
from fingerprinter.training.validation import Validation
from nowplaying_core.artifacts import write_array, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError

__all__ = ["train", "write_calibration"]

_log = logging.getLogger(__name__)
_CALIBRATION_PAIRS = 128
_CALIBRATION_STREAM = 2**31  # no training step has this number


def train(
    config: TrainingConfig,
    sources: TrainingSources,
    run_dir: Path,
    *,
    init_from: Path | None = None,
    teacher: Path | None = None,
    report: Callable[[str], None] = _log.info,
) -> Path:
    """Train to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : TrainingConfig
    sources : TrainingSources
        Of which the ``train`` split is used, and the ``dev`` split for validation only.
    run_dir : Path
        Receives ``config.json``, ``calibration.npy``, ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv``,
        ``tensorboard`` and ``encoder.weights.h5``, the encoder with the best top-1 on ``dev`` so far.
    init_from : Path, optional
        ``encoder.weights.h5`` of a finished run with the same convolutions, instead of random weights; a head of
        another size begins anew.
    teacher : Path, optional
        Folder of a finished run that this one learns from as well; goes with a ``distillation_weight``.
    report : callable
        Receives one line of progress at a time.

    Returns
    -------
    Path
        The encoder's best weights.
    """
    if (teacher is None) == bool(config.objective.distillation_weight):
        message = f"expected a teacher and a distillation_weight above 0, or neither: found {teacher} and "
        raise ConfigError(message + f"{config.objective.distillation_weight:g}")
    taught = None if teacher is None else Teacher(teacher, config)
    keras.utils.set_random_seed(config.seed)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_json(run_dir / "config.json", config.to_dict())
    sampler = training_sampler(config, sources, report)
    write_calibration(config, sampler, run_dir)
    model = build_training_model(config)
    trainer, first_step, best_top1 = _resume(config, model, run_dir, init_from, report)
    validate, log = Validation(config, sources), RunLog(run_dir)
    weights = run_dir / "encoder.weights.h5"
    started = time.monotonic()
    losses: list[float] = []
    batches = prefetch(
        lambda rng: sampler.draw(config.pairs_per_step, rng), seed=config.seed, steps=range(first_step, config.n_steps)
    )
    for step, (windows, songs) in batches:
        trainer.optimizer.learning_rate = rate = learning_rate(
            step, peak=config.learning_rate, n_warmup=config.warmup_steps, n_steps=config.n_steps
        )
        inputs = [windows, songs[:, None].astype(np.float32), *([] if taught is None else [taught(windows)])]
        losses.append(float(trainer.train_on_batch(inputs)))
        done = step + 1
        if done % config.checkpoint_every == 0 or done == config.n_steps:
            row: dict[str, float] = {"step": done, "loss": float(np.mean(losses)), "learning_rate": rate}
            losses.clear()
            if done % config.validate_every == 0 or done == config.n_steps:
                row["dev_top1"] = validate(model)
                if row["dev_top1"] >= best_top1:
                    best_top1 = row["dev_top1"]
                    replace_weights(model.get_layer("encoder"), weights)
            row["seconds_per_step"] = (time.monotonic() - started) / (done - first_step)
            log.append(row)
            report(json.dumps(row))
            write_checkpoint(trainer, run_dir, {"step": done, "best_dev_top1": best_top1})
    return weights


def write_calibration(config: TrainingConfig, sampler: PairSampler, run_dir: Path) -> Path:
    """Write the log-mel images that set the int8 ranges at export: drawn once, so that exporting twice is the same.

    Returns
    -------
    Path
        ``calibration.npy``, float32, shape (2 _CALIBRATION_PAIRS, n_mels, n_frames, 1): clean and degraded windows.
    """
    path = run_dir / "calibration.npy"
    if not path.exists():
        windows, _ = sampler.draw(_CALIBRATION_PAIRS, np.random.default_rng([config.seed, _CALIBRATION_STREAM]))
        images = np.asarray(LogMel(config.front_end)(windows), np.float32)
        write_array(path, images)
    return path


def _resume(
    config: TrainingConfig, model: keras.Model, run_dir: Path, init_from: Path | None, report: Callable[[str], None]
) -> tuple[keras.Model, int, float]:
    """Return the model with objective and optimizer, the step that its run has reached, and the best top-1 so far."""
    trainer = build_trainer(config, model)
    weights = run_dir / "checkpoint.weights.h5"
    if not (weights.exists() and (run_dir / "checkpoint.json").exists()):
        if init_from is not None:
            report(load_matching_weights(model.get_layer("encoder"), init_from))
        return trainer, 0, 0.0
    reached = checkpoint_state(run_dir)
    step = int(reached["step"])
    if step >= config.n_steps:
        message = f"{run_dir}: this run has reached its {config.n_steps} steps; choose another run folder"
        raise ConfigError(message)
    trainer.load_weights(weights)  # a compiled model's weights file holds the optimizer's state as well
    report(f"resuming at step {step}")
    return trainer, step, reached["best_dev_top1"]
