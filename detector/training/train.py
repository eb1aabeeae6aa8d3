"""Train the detector: float with batch normalisation, then folded with simulated int8; resumable and logged."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from detector.training.config import DetectorConfig
from detector.training.data import FeatureSet, WindowSampler, build_features
from detector.training.distil import DISTILLED_SCENES, DISTILLED_STEPS, Encoder, begin_with, embeddings_of_scenes
from detector.training.fitting import FitRun
from detector.training.model import FoldedModel, build_training_model, fit_to_grids, fold
from detector.training.pools import SoundPools
from detector.training.weights import load_weights, save_weights
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError

__all__ = ["TrainingReport", "calibration_segments", "claim_run", "fit_detector", "train_detector"]

_log = logging.getLogger(__name__)
_FRAMES_PER_S = 100
_CHECK_SEGMENTS = 600
_CALIBRATION_SEGMENTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingReport:
    """What a finished run left behind.

    Attributes
    ----------
    weights_path : Path
        ``weights.npz`` with folded weights; what ``export`` converts.
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
    on_progress: Callable[[dict[str, float]], None] | None = None,
) -> TrainingReport:
    """Train from recordings to ``run_dir/weights.npz``; called again after an interruption, go on where it stopped.

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
        Whose embeddings the convolutions first learn to foretell, in so many further steps (``distilled_steps``).
    on_progress : callable or None
        Called with every row of the log.

    Raises
    ------
    ConfigError
        When the folder holds a run of another configuration, or one that began with another encoder or with none.
    """
    features_dir = features_dir or run_dir / "features"

    def pools_of(split: str) -> SoundPools:
        if split == "train":
            return SoundPools.from_sources(sources, split, stretched_share=config.scenes.stretched_share)
        return SoundPools.from_sources(sources.corpus_only(), split)

    def features(split: str, n_scenes: int, seed: int) -> FeatureSet:
        folder = features_dir / f"features-{split}"
        pools = [pools_of(split)]
        return build_features(pools, config.scenes, n_scenes=n_scenes, seed=seed, folder=folder, jobs=jobs)

    claim_run(run_dir, config)
    _claim_beginning(run_dir, {} if encoder is None else {"encoder": encoder.embedding_space, "steps": distilled_steps})
    training = config.training
    train = features("train", training.n_scenes, training.seed)
    check = features("dev", training.n_check_scenes, training.seed + 1)
    begin = None
    if encoder is not None:
        n_scenes = min(DISTILLED_SCENES, training.n_scenes)
        folder = features_dir / "features-train"
        said = embeddings_of_scenes(encoder, [pools_of("train")], config, n_scenes=n_scenes, folder=folder)

        def begin(model: keras.Model) -> float:
            return begin_with(said, model, train, config, distilled_steps)

    return fit_detector(config, run_dir, train, check, n_threads=n_threads, begin=begin, on_progress=on_progress)


def fit_detector(
    config: DetectorConfig,
    run_dir: Path,
    train: FeatureSet,
    check: FeatureSet,
    *,
    n_threads: int = 2,
    begin: Callable[[keras.Model], float] | None = None,
    on_progress: Callable[[dict[str, float]], None] | None = None,
) -> TrainingReport:
    """Train on finished features to ``run_dir/weights.npz``; called again after an interruption, go on.

    Parameters
    ----------
    config : DetectorConfig
    run_dir : Path
    train, check : FeatureSet
        To learn from, and to measure the ROC area on.
    n_threads : int
    begin : callable, optional
        Changes the new network's weights before the first step, and returns how much of what it was taught it explains.
    on_progress : callable or None

    Raises
    ------
    ConfigError
        When the folder holds a run of another configuration.
    """
    claim_run(run_dir, config)
    _limit_threads(n_threads)
    training = config.training
    sampler = _sampler(config, train)
    plain = replace(config, training=replace(training, extreme_share=0.0, mined_share=0.0))
    check_set = _sampler(plain, check).batch(_CHECK_SEGMENTS, np.random.default_rng(7))
    run = FitRun(run_dir, sampler, check_set, training, on_progress)

    keras.utils.set_random_seed(training.seed)
    model = build_training_model(config.network)
    if begin is not None and not (run_dir / "checkpoint-float.npz").is_file():
        _log.info("explains %.3f of the encoder's variance", begin(model))
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


def calibration_segments(sampler: WindowSampler) -> NDArray[np.int8]:
    """Return what sets the int8 grids: a fixed draw from training, plus silence and full scale."""
    drawn, _, _ = sampler.batch(_CALIBRATION_SEGMENTS, np.random.default_rng(11))
    silence = np.full((1, *drawn.shape[1:]), -128, dtype=np.int8)
    full_scale = np.full((1, *drawn.shape[1:]), 127, dtype=np.int8)
    return np.concatenate([drawn, silence, full_scale])


def _sampler(config: DetectorConfig, features: FeatureSet) -> WindowSampler:
    return WindowSampler(
        features,
        config.network,
        n_decisions=config.training.n_decisions,
        preroll_frames=int(config.scenes.preroll_s * _FRAMES_PER_S),
        music_fraction=config.training.music_fraction,
        cold_share=config.training.cold_share,
        extreme_share=config.training.extreme_share,
        mined_share=config.training.mined_share,
    )


def claim_run(run_dir: Path, config: DetectorConfig) -> None:
    """Make a run's folder and record its settings there; refuse a folder that holds a run of others."""
    run_dir.mkdir(parents=True, exist_ok=True)
    record = run_dir / "config.digest"
    if record.is_file() and record.read_text(encoding="utf-8").strip() != config.digest():
        message = f"{run_dir}: expected an empty folder or a run of this configuration; choose another run folder"
        raise ConfigError(message)
    record.write_text(config.digest() + "\n", encoding="utf-8")
    write_json(run_dir / "config.json", config.to_dict())


def _claim_beginning(run_dir: Path, beginning: dict[str, Any]) -> None:
    """Record what a run began with; refuse to go on with one that began otherwise."""
    path = run_dir / "init.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if (run_dir / "checkpoint-float.npz").is_file() and found != beginning:
        message = f"{run_dir}: this run began with {found or 'random weights'}, not with {beginning or 'them'}; "
        raise ConfigError(message + "choose another run folder")
    if beginning:
        write_json(path, beginning)
    else:
        path.unlink(missing_ok=True)


def _limit_threads(n_threads: int) -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow is running already and keeps the threads it has
        _log.debug("thread counts are fixed once TensorFlow has started")
