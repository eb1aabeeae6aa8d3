"""Train the encoder: resumable, seeded, logged; the same code on the TensorFlow and the JAX backend of Keras."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.loop import averaged_weights, fit, replace_weights
from fingerprinter.training.model import (
    WEIGHTS_NAME,
    Teacher,
    build_trainer,
    build_training_model,
    load_matching_weights,
)
from fingerprinter.training.pairs import PairSampler, training_sampler
from fingerprinter.training.progress import checkpoint_state
from fingerprinter.training.validation import Validation
from nowplaying_core.artifacts import write_array
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import check_given, init_run_dir, weights_id

__all__ = ["train", "write_calibration"]

_CALIBRATION_PAIRS = 128
_CALIBRATION_STREAM = 2**31  # no training step has this number


def train(
    config: TrainingConfig,
    sources: TrainingSources,
    run_dir: Path,
    *,
    init_from: Path | None = None,
    teacher: Path | None = None,
) -> Path:
    """Train to the end of the schedule, resuming from the run's last checkpoint.

    Parameters
    ----------
    config : TrainingConfig
    sources : TrainingSources
        The ``train`` split is trained on, the ``dev`` split is for validation only; with ``n_held_out`` it is not used.
    run_dir : Path
        Receives ``config.json``, ``calibration.npy``, ``checkpoint.weights.h5`` with ``checkpoint.json``, ``log.csv``,
        ``tensorboard`` and ``encoder.weights.h5``, the encoder with the best top-1 in validation so far.
    init_from : Path, optional
        ``encoder.weights.h5`` of a finished run with the same convolutions, instead of random weights; a head of
        another size starts from random weights.
    teacher : Path, optional
        Folder of a finished run whose embeddings are learned as well; goes with a ``distillation_weight``.

    Returns
    -------
    Path
        The encoder's best weights.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings or one that has ended, or one that was given other recordings,
        another teacher or other initial weights; or when these do not fit.
    """
    if (teacher is None) == bool(config.objective.distillation_weight):
        message = f"expected a teacher and a distillation_weight above 0, or neither: found {teacher} and "
        raise ConfigError(message + f"{config.objective.distillation_weight:g}")
    taught = None if teacher is None else Teacher(teacher, config)
    sources.require("music", "noise", "speech")
    learned = None if teacher is None else teacher / WEIGHTS_NAME
    given = {"init_from": weights_id(init_from), "teacher": weights_id(learned), **sources.counts()}
    init_run_dir(config, run_dir)
    check_given(run_dir, given, begun=checkpoint_state(run_dir)["step"] > 0)
    keras.utils.set_random_seed(config.seed)
    sampler = training_sampler(config, sources)
    write_calibration(config, sampler, run_dir)
    model = build_training_model(config)
    encoder, weights = model.get_layer("encoder"), run_dir / WEIGHTS_NAME
    validate = Validation(config, sources)

    def draw(rng: np.random.Generator) -> list[NDArray[np.float32]]:
        windows, songs = sampler.draw(config.pairs_per_step, rng)
        return [windows, songs[:, None].astype(np.float32), *([] if taught is None else [taught(windows)])]

    def keep_best(done: int) -> dict[str, float]:
        if done % config.validate_every and done != config.n_steps:
            return {}
        with averaged_weights(trainer):
            top1 = validate(model)
            if top1 >= checkpoint_state(run_dir)["best_dev_top1"]:
                replace_weights(encoder, weights)
        return {"dev_top1": top1}

    trainer = build_trainer(config, model)
    fit(
        trainer,
        draw,
        config,
        run_dir,
        cooldown_steps=config.cooldown_steps,
        at_start=lambda: None if init_from is None else load_matching_weights(encoder, init_from),
        validate=keep_best,
    )
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
