"""Train the detector's second stage on composed scenes, with the targets of a teacher and of the labels."""

from pathlib import Path
from typing import Final

import keras

from detector.training.feature_set import FeatureSet
from detector.training.fitting import FitRun
from detector.training.second_stage import SecondStageConfig, build_second_stage, folded
from detector.training.teacher import Teacher
from detector.training.train import calibration_segments, check_windows, limit_threads, scene_features
from detector.training.window_sampler import WindowSampler
from nowplaying_core.artifacts import write_arrays, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.settings import check_given, init_run_dir

__all__ = ["CALIBRATION_FILE", "SECOND_STAGE_WEIGHTS_FILE", "fit_second_stage", "train_second_stage"]

SECOND_STAGE_WEIGHTS_FILE: Final = "second_stage_weights.npz"
CALIBRATION_FILE: Final = "calibration.npz"
_AVERAGED: Final = 0.998
_WEIGHT_DECAY: Final = 1e-3


def train_second_stage(
    config: SecondStageConfig,
    run_dir: Path,
    *,
    sources: TrainingSources,
    features_dir: Path | None = None,
    jobs: int = 1,
    n_threads: int = 2,
    teacher: Teacher | None = None,
) -> float:
    """Train from recordings to ``run_dir/second_stage_weights.npz``; called again after an interruption, resume.

    Parameters
    ----------
    config : SecondStageConfig
    run_dir : Path
        Made when missing. A run of another configuration in the same folder is refused.
    sources : TrainingSources
        Its corpus has splits ``train`` and ``dev``.
    features_dir : Path or None
        Where features are kept; the run's folder by default.
    jobs, n_threads : int
        Processes that compose scenes, threads that train.
    teacher : Teacher, optional
        Judges the parts of every scene; targets follow it beside the labels.

    Returns
    -------
    float
        ROC area on windows of ``dev`` scenes, before quantization.

    Raises
    ------
    ConfigError
        When the folder holds a run of another configuration, or one with another teacher or other recordings.
    """
    sources.require("music", "noise", "speech")
    init_run_dir(config, run_dir)
    given = {"teacher": None if teacher is None else teacher.name, **sources.counts()}
    check_given(run_dir, given, begun=(run_dir / "checkpoint-float.npz").is_file())
    folder = features_dir or run_dir / "features"
    train, check = scene_features(config.scenes, config.training, sources, folder, jobs=jobs, teacher=teacher)
    return fit_second_stage(config, run_dir, train, check, n_threads=n_threads)


def fit_second_stage(
    config: SecondStageConfig, run_dir: Path, train: FeatureSet, check: FeatureSet, *, n_threads: int = 2
) -> float:
    """Train on finished features; parameters, result and errors as in :func:`train_second_stage`.

    The folder also gets the windows that set the int8 ranges.
    """
    init_run_dir(config, run_dir)
    limit_threads(n_threads)
    training = config.training
    sampler = WindowSampler(train, config)
    checked = check_windows(check, config)
    run = FitRun(run_dir, sampler, checked, training, averaged=_AVERAGED, weight_decay=_WEIGHT_DECAY)
    keras.utils.set_random_seed(training.seed)
    model = build_second_stage(config.network)
    area = run.fit(model, "float", training.steps, training.learning_rate, training.warmup_steps)
    write_arrays(run_dir / SECOND_STAGE_WEIGHTS_FILE, folded(model))
    windows = calibration_segments(sampler)[:, : config.network.n_frames]
    write_arrays(run_dir / CALIBRATION_FILE, {"windows": windows})
    write_json(run_dir / "result.json", {"float_area": area})
    return area
