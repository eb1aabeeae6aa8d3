"""Cross-validate the detector over all recordings, folds by source: train, convert, run on the fold left out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detector.gate import GateConfig
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.feature_set import FeatureSet, build_features
from detector.training.folds import fold_pools
from detector.training.pools import SoundPools
from detector.training.second_stage import SecondStageConfig
from detector.training.second_stage_fit import fit_second_stage
from detector.training.teacher import Teacher
from detector.training.train import fit_detector
from detector.training.weights import load_weights
from evaluation.detector.clip_metrics import clip_metrics
from evaluation.detector.evaluate import STREAM_S, StreamSettings, compose_clips, run_streams
from evaluation.detector.graphs import DetectorGraphs
from evaluation.detector.stream_metrics import room_tone_metrics, stream_metrics
from evaluation.detector.sweep import SILENCE_DBFS, choose_gate, frontier, sweep_gate
from evaluation.detector.tracks import StreamTrack
from export.second_stage import second_stage_graph
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import write_bytes, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import check_given, init_run_dir
from nowplaying_core.statistics import student

__all__ = ["RESULT_FILE", "cross_validate", "mean_area"]

RESULT_FILE = "cross-validation.json"
_log = logging.getLogger(__name__)


def cross_validate(
    config: DetectorConfig,
    run_dir: Path,
    *,
    sources: TrainingSources,
    n_folds: int = 5,
    n_clips: int = 200,
    n_streams: int = 120,
    n_room_tone: int = 48,
    stream_s: float = STREAM_S,
    max_false_per_hour: float = 1.0,
    jobs: int = 1,
    n_threads: int = 2,
    teacher: Teacher | None = None,
    second_stage: SecondStageConfig | None = None,
    wanted_above: int = 0,
) -> dict[str, Any]:
    """Train a detector for each fold and measure it on that fold's recordings; called again, go on.

    Every training scene is composed of one fold's recordings, so scenes are composed once and each detector learns from
    those of the other folds. Each stream is also composed of one fold's recordings, without rendered MIDI and extra
    data, and goes to the detector that was trained without that fold. The gate for a fold's streams is chosen on the
    other folds' streams.

    Parameters
    ----------
    config : DetectorConfig
    run_dir : Path
    sources : TrainingSources
        As in training; all splits of the corpus are used.
    n_folds : int >= 2
    n_clips : int
        Number of clips with music, and of clips without, for each fold.
    n_streams, n_room_tone : int
        Number of streams in all.
    stream_s : float, seconds
        Length of each.
    max_false_per_hour : float
        False wake-ups an hour that gates are chosen for.
    jobs, n_threads : int
        Processes that compose, threads that train.
    teacher : Teacher, optional
        Of every fold's training.
    second_stage : SecondStageConfig, optional
        Train this second stage as well; its settings of scenes are those of the first then.
    wanted_above : int in [0, 256]
        The first stage's smallest output, in 256ths, for which the second is run.

    Returns
    -------
    dict
        Plain values, also written to ``run_dir/cross-validation.json``.

    Raises
    ------
    ConfigError
        When the folder holds a run of other settings of either stage, of another teacher or of other recordings.
    """
    if n_folds < 2:
        message = f"cross-validation: expected at least 2 folds, found {n_folds}"
        raise ConfigError(message)
    if second_stage is not None:
        config = replace(config, scenes=second_stage.scenes)
    features = _fold_features(config, run_dir, sources, n_folds, jobs=jobs, teacher=teacher)
    graphs = _train_folds(config, run_dir, features, n_folds, n_threads=n_threads)
    if second_stage is not None:
        seconds = _train_second_stages(second_stage, run_dir, features, n_folds, n_threads=n_threads)
        graphs = [
            replace(one, second=second, wanted_above=wanted_above) for one, second in zip(graphs, seconds, strict=True)
        ]
    del features
    pools = fold_pools(SoundPools.from_sources(sources.corpus_only(), None), n_folds)
    models, seed = list(zip(pools, graphs, strict=True)), config.training.seed
    streams, quiet = (
        StreamSettings(
            gate=GateConfig(silence_dbfs=SILENCE_DBFS),
            seed=seed,
            stream_s=stream_s,
            room_tone=room_tone,
            folder=run_dir
            / (f"tracks-of-{n_folds}" if second_stage is None else f"tracks-of-{n_folds}-two-stages-{wanted_above}"),
        )
        for room_tone in (False, True)
    )
    tracks = run_streams(models, n_streams, streams, jobs=jobs)
    quiet_tracks = run_streams(models, n_room_tone, quiet, jobs=jobs)
    fold_clips = [clip_metrics(compose_clips(pool, n_clips, seed=seed, jobs=jobs), graph) for pool, graph in models]
    result = _result(tracks, quiet_tracks, fold_clips, seed=seed, max_false_per_hour=max_false_per_hour)
    if second_stage is not None:
        result["wanted_above"] = wanted_above  # the gate was chosen with it, and is published with it
    write_json(run_dir / RESULT_FILE, result)
    return result


def _fold_features(
    config: DetectorConfig,
    run_dir: Path,
    sources: TrainingSources,
    n_folds: int,
    *,
    jobs: int,
    teacher: Teacher | None,
) -> FeatureSet:
    """Return the features of all folds' scenes: scene i is composed of fold i modulo their number."""
    sources.require("music", "noise", "speech", splits=[None])
    init_run_dir(config, run_dir)
    given = {"teacher": None if teacher is None else teacher.name, **sources.counts(None)}
    check_given(run_dir, given, begun=any(run_dir.glob("fold-*/checkpoint-float.npz")))
    training = config.training
    pools = SoundPools.from_sources(sources, None, stretched_share=config.scenes.stretched_share)
    _log.info("composing %d scenes of %d folds", training.n_scenes, n_folds)
    return build_features(
        fold_pools(pools, n_folds),
        config.scenes,
        n_scenes=training.n_scenes,
        seed=training.seed,
        folder=run_dir / "features",
        jobs=jobs,
        teacher=teacher,
    )


def _split(features: FeatureSet, fold: int, n_folds: int, n_check_scenes: int) -> tuple[FeatureSet, FeatureSet]:
    """Return the scenes of the other folds, and some of this one's to check with."""
    scene = np.arange(len(features.frames))
    left_out = (scene % n_folds == fold) & (scene < n_folds * n_check_scenes)
    return features.chosen(scene % n_folds != fold), features.chosen(left_out)


def _train_folds(
    config: DetectorConfig, run_dir: Path, features: FeatureSet, n_folds: int, *, n_threads: int
) -> list[DetectorGraphs]:
    """Return the folds' first stages; those that are there already are not trained again."""
    graphs = []
    for fold in range(n_folds):
        folder = run_dir / f"fold-{fold}-of-{n_folds}"
        graphs.append(DetectorGraphs(first=folder / MODEL_FILE))
        if graphs[-1].first.is_file():
            continue
        _log.info("training fold %d of %d", fold + 1, n_folds)
        train, check = _split(features, fold, n_folds, config.training.n_check_scenes)
        trained = fit_detector(config, folder, train, check, n_threads=n_threads)
        write_bytes(graphs[-1].first, streaming_graph(config.network, load_weights(trained.weights_path)))
    return graphs


def _train_second_stages(
    config: SecondStageConfig, run_dir: Path, features: FeatureSet, n_folds: int, *, n_threads: int
) -> list[Path]:
    """Return the folds' second stages; those that are there already are not trained again."""
    graphs = []
    for fold in range(n_folds):
        folder = run_dir / f"second-stage-{fold}-of-{n_folds}"
        init_run_dir(config, folder)
        graphs.append(folder / SECOND_STAGE_FILE)
        if graphs[-1].is_file():
            continue
        _log.info("training the second stage of fold %d of %d", fold + 1, n_folds)
        fit_second_stage(
            config, folder, *_split(features, fold, n_folds, config.training.n_check_scenes), n_threads=n_threads
        )
        write_bytes(graphs[-1], second_stage_graph(folder).graph)
    return graphs


def _result(
    tracks: list[StreamTrack],
    quiet_tracks: list[StreamTrack],
    fold_clips: list[dict[str, Any]],
    *,
    seed: int,
    max_false_per_hour: float,
) -> dict[str, Any]:
    n_folds, sweep = len(fold_clips), sweep_gate(tracks)
    best = frontier(sweep)
    gates = [
        choose_gate(
            sweep_gate([track for number, track in enumerate(tracks) if number % n_folds != fold]),
            max_false_per_hour=max_false_per_hour,
        )
        for fold in range(n_folds)
    ]
    return {
        "schema": "detector-crossval/1",
        "n_folds": n_folds,
        "gate": choose_gate(sweep, max_false_per_hour=max_false_per_hour).to_dict(),
        "streams": stream_metrics(tracks, gates, seed=seed),
        "operating_points": [
            {"max_false_per_hour": limit, **max(allowed, key=lambda row: row["recall_audible"])}
            for limit in (0.5, 1.0, 2.0, 3.0, 6.0)
            if (allowed := [row for row in best if row["false_triggers_per_hour"] <= limit])
        ],
        "room_tone": room_tone_metrics(quiet_tracks, gates),
        "fold_clips": fold_clips,
        "mean_area": mean_area(fold_clips),
        "best_gates": best,
    }


def mean_area(fold_clips: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the mean over folds of each ROC area, with Student's 95 % interval: there are few folds."""
    areas = [fold["area"] for fold in fold_clips]
    return {name: student([area[name]["value"] for area in areas]).to_dict() for name in areas[0]}
