"""Train the detector: float with batch normalisation, then folded with simulated int8; resumable and logged."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from detector.training.config import DetectorConfig, SceneConfig, TrainingConfig
from detector.training.distil import DISTILLED_SCENES, DISTILLED_STEPS, Encoder, embeddings_of_scenes, pretrain
from detector.training.feature_set import FeatureSet, build_features
from detector.training.fitting import FitRun
from detector.training.folds import HeldOut
from detector.training.model import FoldedModel, build_training_model, fit_to_grids, fold
from detector.training.pools import SoundPools
from detector.training.second_stage import SecondStageConfig
from detector.training.teacher import Teacher
from detector.training.weights import load_weights, save_weights
from detector.training.window_sampler import WindowSampler
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.settings import check_given, init_run_dir

__all__ = [
    "TrainingReport",
    "calibration_segments",
    "check_windows",
    "fit_detector",
    "limit_threads",
    "scene_features",
    "train_detector",
]

_log = logging.getLogger(__name__)
_CHECK_SEGMENTS = 600
_CALIBRATION_SEGMENTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingReport:
    """Result of a finished run.

    Attributes
    ----------
    weights_path : Path
        ``weights.npz`` with folded weights, which ``export`` converts.
    float_area, quantized_area : float
        ROC area on the check windows, before and after simulated quantization.
    """

    weights_path: Path
    float_area: float
    quantized_area: float


def train_detector(
    config: DetectorConfig,
    run_dir: Path,
    *,
    sources: TrainingSources,
    features_dir: Path | None = None,
    jobs: int = 1,
    n_threads: int = 2,
    encoder: Encoder | None = None,
    distilled_steps: int = DISTILLED_STEPS,
    teacher: Teacher | None = None,
) -> TrainingReport:
    """Train from recordings to ``run_dir/weights.npz``; called again after an interruption, resume.

    Parameters
    ----------
    config : DetectorConfig
    run_dir : Path
        Made when missing. A run of another configuration in the same folder is refused.
    sources : TrainingSources
        Its corpus has splits ``train`` and ``dev``.
    features_dir : Path or None
        Where features are kept; the run's folder by default.
    jobs, n_threads : int
        Processes that compose scenes, threads that train.
    encoder : Encoder, optional
        The convolutions are first trained to predict its embeddings.
    distilled_steps : int
        For so many steps.
    teacher : Teacher, optional
        Judges the parts of every scene; targets follow it beside the labels.

    Raises
    ------
    ConfigError
        When the folder holds a run of another configuration, or one with another encoder, teacher or other recordings.
    """
    features_dir = features_dir or run_dir / "features"
    sources.require("music", "noise", "speech")
    init_run_dir(config, run_dir)
    given: dict[str, Any] = {
        "encoder": None if encoder is None else encoder.embedding_space,
        "steps": None if encoder is None else distilled_steps,
        "teacher": None if teacher is None else teacher.name,
    }
    check_given(run_dir, {**given, **sources.counts()}, begun=(run_dir / "checkpoint-float.npz").is_file())
    training = config.training
    train, check = scene_features(config.scenes, training, sources, features_dir, jobs=jobs, teacher=teacher)
    begin = None
    if encoder is not None:
        n_scenes = min(DISTILLED_SCENES, training.n_scenes)
        folder = _folder(features_dir, "train", training)
        pools = [_pools(sources, "train", config.scenes, training)]
        embeddings = embeddings_of_scenes(encoder, pools, config, n_scenes=n_scenes, folder=folder)

        def begin(model: keras.Model) -> float:
            return pretrain(embeddings, model, train, config, distilled_steps)

    return fit_detector(config, run_dir, train, check, n_threads=n_threads, begin=begin)


def scene_features(
    scenes: SceneConfig,
    training: TrainingConfig,
    sources: TrainingSources,
    folder: Path,
    *,
    jobs: int = 1,
    teacher: Teacher | None = None,
) -> tuple[FeatureSet, FeatureSet]:
    """Return the features of the scenes to train on, and of those of the ``dev`` split to check with.

    Parameters
    ----------
    scenes : SceneConfig
    training : TrainingConfig
        Its seed, its numbers of scenes and the fold that it leaves out matter here.
    sources : TrainingSources
    folder : Path
        Where features are kept.
    jobs : int
        Processes that compose scenes.
    teacher : Teacher, optional
    """

    def features(split: str, n_scenes: int, seed: int) -> FeatureSet:
        pools = [_pools(sources, split, scenes, training)]
        kept = _folder(folder, split, training)
        return build_features(pools, scenes, n_scenes=n_scenes, seed=seed, folder=kept, jobs=jobs, teacher=teacher)

    train = features("train", training.n_scenes, training.seed)
    return train, features("dev", training.n_check_scenes, training.seed + 1)


def _folder(features_dir: Path, split: str, training: TrainingConfig) -> Path:
    """Return where a split's features are kept: those of other recordings elsewhere, as their numbers may be alike."""
    held_out = HeldOut.of(training) if split == "train" else None
    without = "" if held_out is None else f"-without-{held_out.fold}-of-{held_out.n_folds}"
    return features_dir / f"features-{split}{without}"


def _pools(sources: TrainingSources, split: str, scenes: SceneConfig, training: TrainingConfig) -> SoundPools:
    if split == "train":
        pools = SoundPools.from_sources(sources, split, stretched_share=scenes.stretched_share)
        held_out = HeldOut.of(training)
        return pools if held_out is None else held_out.training_pools(pools)
    return SoundPools.from_sources(sources.corpus_only(), split)


def fit_detector(
    config: DetectorConfig,
    run_dir: Path,
    train: FeatureSet,
    check: FeatureSet,
    *,
    n_threads: int = 2,
    begin: Callable[[keras.Model], float] | None = None,
) -> TrainingReport:
    """Train on finished features to ``run_dir/weights.npz``; called again after an interruption, resume.

    Parameters
    ----------
    config : DetectorConfig
    run_dir : Path
    train, check : FeatureSet
        For training, and for measuring the ROC area.
    n_threads : int
    begin : callable, optional
        Initializes the new network before the first step, and returns the share of variance that it then explains.

    Raises
    ------
    ConfigError
        When the folder holds a run of another configuration.
    """
    init_run_dir(config, run_dir)
    limit_threads(n_threads)
    training = config.training
    sampler = WindowSampler(train, config)
    run = FitRun(run_dir, sampler, check_windows(check, config), training)

    keras.utils.set_random_seed(training.seed)
    model = build_training_model(config.network)
    if begin is not None and not (run_dir / "checkpoint-float.npz").is_file():
        _log.info("the network explains %.3f of the variance of the encoder's embeddings", begin(model))
    float_area = run.fit(model, "float", training.steps, training.learning_rate, training.warmup_steps)
    folded = fold(model, config.network)
    fitted = fit_to_grids(config.network, folded, calibration_segments(sampler))
    simulated = FoldedModel(config.network, fitted, simulated=True)
    quantized_area = run.fit(simulated, "int8", training.quantized_steps, training.quantized_learning_rate, 0)
    path = run_dir / "weights.npz"
    save_weights(path, simulated.folded_weights())
    write_json(
        run_dir / "result.json",
        {
            "float_area": float_area,
            "quantized_area": quantized_area,
            "n_parameters": load_weights(path).n_parameters,
        },
    )
    return TrainingReport(weights_path=path, float_area=float_area, quantized_area=quantized_area)


def check_windows(
    check: FeatureSet, config: DetectorConfig | SecondStageConfig
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
    """Return the segments, labels and weights that the ROC area is measured on, whatever a teacher says of them."""
    plain = replace(config, training=replace(config.training, extreme_share=0.0))
    return WindowSampler(replace(check, teacher=None), plain).batch(_CHECK_SEGMENTS, np.random.default_rng(7))


def calibration_segments(sampler: WindowSampler) -> NDArray[np.int8]:
    """Return the segments that the int8 grids are fitted to: a fixed sample of training, silence and full scale."""
    sample, _, _ = sampler.batch(_CALIBRATION_SEGMENTS, np.random.default_rng(11))
    silence = np.full((1, *sample.shape[1:]), -128, dtype=np.int8)
    full_scale = np.full((1, *sample.shape[1:]), 127, dtype=np.int8)
    return np.concatenate([sample, silence, full_scale])


def limit_threads(n_threads: int) -> None:
    """Let TensorFlow use so many threads, where it has not started yet."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow is running already and keeps the threads it has
        _log.debug("thread counts are fixed once TensorFlow has started")
