"""Cross-validate the detector over all recordings, folds by source: train, convert, hear the fold that was left out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from detector.gate import GateConfig
from detector.stream import MODEL_FILE
from detector.training.config import DetectorConfig
from detector.training.data import build_features
from detector.training.pools import SoundPools
from detector.training.train import claim_run, fit_detector
from detector.training.weights import load_weights
from evaluation.detector.clip_metrics import evaluate_clips
from evaluation.detector.evaluate import STREAM_S, compose_clips, hear_streams
from evaluation.detector.folds import fold_pools
from evaluation.detector.report import clip_tables, stream_tables
from evaluation.detector.roc import SILENCE_DBFS, choose_gate, frontier, sweep_gate
from evaluation.detector.stream_metrics import evaluate_room_tone, evaluate_streams
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import write_bytes, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.runtime import TfliteModel
from nowplaying_core.statistics import Interval

__all__ = ["RESULT_FILE", "cross_validate", "folds_to_markdown", "gate_of_folds"]

RESULT_FILE = "cross-validation.json"
Progress = Callable[[str], None]


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
    most_false_per_hour: float = 1.0,
    jobs: int = 1,
    n_threads: int = 2,
    report: Progress = lambda _: None,
) -> dict[str, Any]:
    """Train a detector for each fold and measure it on the others' recordings; called again, go on.

    Every training scene is composed of one fold's recordings, so scenes are composed once and each detector learns from
    those of the other folds. Streams are composed of one fold's recordings too, without rendered MIDI and extra data,
    and heard by the detector that knows none of them. The gate for a fold's streams is chosen on the other folds'.

    Parameters
    ----------
    config : DetectorConfig
    run_dir : Path
    sources : TrainingSources
        As in training; all splits of the corpus are used.
    n_folds : int >= 2
    n_clips : int
        Clips of music, and as many without, for each fold.
    n_streams, n_room_tone : int
        Streams in all.
    stream_s : float
        Length of each.
    most_false_per_hour : float
        What gates are chosen for.
    jobs, n_threads : int
    report : callable

    Returns
    -------
    dict
        Plain values, also written to ``run_dir/cross-validation.json``.
    """
    if n_folds < 2:
        message = f"cross-validation: expected at least 2 folds, found {n_folds}"
        raise ConfigError(message)
    claim_run(run_dir, config)
    every = SoundPools.from_sources(sources, None, stretched_share=config.scenes.stretched_share)
    plain = fold_pools(SoundPools.from_sources(sources.corpus_only(), None), n_folds)
    training = config.training
    report(f"composing {training.n_scenes} scenes of {n_folds} folds")
    features = build_features(
        fold_pools(every, n_folds),
        config.scenes,
        n_scenes=training.n_scenes,
        seed=training.seed,
        folder=run_dir / "features",
        jobs=jobs,
    )
    fold_of = np.arange(training.n_scenes) % n_folds
    graphs = []
    for fold in range(n_folds):
        folder = run_dir / f"fold-{fold}-of-{n_folds}"
        graphs.append(folder / MODEL_FILE)
        if graphs[-1].is_file():
            continue
        report(f"fold {fold}: training")
        left_out = (fold_of == fold) & (np.arange(training.n_scenes) < n_folds * training.n_check_scenes)
        trained = fit_detector(
            config,
            folder,
            features.chosen(fold_of != fold),
            features.chosen(left_out),
            n_threads=n_threads,
            on_progress=lambda row: report("  ".join(f"{name} {value:g}" for name, value in row.items())),
        )
        graph = streaming_graph(config.network, load_weights(trained.weights_path))
        write_bytes(graphs[-1], graph)
    result = _measure(
        list(zip(plain, graphs, strict=True)),
        run_dir,
        seed=training.seed,
        counts=(n_clips, n_streams, n_room_tone),
        stream_s=stream_s,
        most_false_per_hour=most_false_per_hour,
        jobs=jobs,
        report=report,
    )
    write_json(run_dir / RESULT_FILE, result)
    return result


def gate_of_folds(path: Path) -> GateConfig:
    """Read the gate that a cross-validation chose over all folds.

    Raises
    ------
    CorruptArtifactError
        When the file is not the result of a cross-validation.
    """
    try:
        return GateConfig.from_dict(json.loads(path.read_text(encoding="utf-8"))["gate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: expected the result of nowplaying train detector-folds with its gate ({error})"
        raise CorruptArtifactError(message) from error


def folds_to_markdown(result: dict[str, Any]) -> str:
    """Return a cross-validation's figures as Markdown tables."""
    best = "\n".join(
        f"| {row['most_false_per_hour']:g} | {100 * row['recall_audible']:.1f} % | "
        f"{row['false_triggers_per_hour']:.2f} | {row['window']} | {row['enter_threshold']:g} | "
        f"{row['consecutive_hits']} |"
        for row in result["operating_points"]
    )
    areas = ", ".join(f"{fold['area']['full band']['value']:.4f}" for fold in result["fold_clips"])
    parts = [
        f"# Cross-validation of the detector, {result['n_folds']} folds by source",
        "Each stream is heard by a detector that was trained without its music, noise and speech, through a gate "
        "chosen on the other folds' streams.",
        *stream_tables(result["streams"], result["room_tone"]),
        "Best gates over all folds, where the most false triggers per hour are given:",
        "| at most | regions found | false per hour | window | threshold | hits |\n|---:|---:|---:|---:|---:|---:|\n"
        + best,
        f"Clips of 4.48 s at 0 to 20 dB, ROC area of each fold (full band): {areas}. The first fold's:",
        clip_tables(result["fold_clips"][0]),
        "Means over folds: "
        + ", ".join(f"{name} {area['value']:.4f}" for name, area in result["mean_area"].items())
        + " (intervals from the folds' spread in the JSON).",
    ]
    return "\n\n".join(parts) + "\n"


def _measure(
    models: list[tuple[SoundPools, Path]],
    run_dir: Path,
    *,
    seed: int,
    counts: tuple[int, int, int],
    stream_s: float,
    most_false_per_hour: float,
    jobs: int,
    report: Progress,
) -> dict[str, Any]:
    n_folds, (n_clips, n_streams, n_room_tone) = len(models), counts
    hearing: dict[str, Any] = {"seed": seed, "jobs": jobs, "say": report, "stream_s": stream_s}
    hearing |= {"gate": GateConfig(silence_dbfs=SILENCE_DBFS), "folder": run_dir / f"tracks-of-{n_folds}"}
    tracks = hear_streams(models, n_streams, **hearing)
    quiet = hear_streams(models, n_room_tone, room_tone=True, **hearing)
    fold_clips = [
        evaluate_clips(
            compose_clips(pools, n_clips, seed=seed, jobs=jobs, say=report), TfliteModel(graph, reference_kernels=True)
        )
        for pools, graph in models
    ]
    sweep = sweep_gate(tracks)
    # No fold's streams have a say in the gate that they are counted with.
    gates = [
        choose_gate(
            sweep_gate([track for number, track in enumerate(tracks) if number % n_folds != fold]),
            most_false_per_hour=most_false_per_hour,
        )
        for fold in range(n_folds)
    ]
    return {
        "schema": "detector-folds/1",
        "n_folds": n_folds,
        "gate": choose_gate(sweep, most_false_per_hour=most_false_per_hour).to_dict(),
        "streams": evaluate_streams(tracks, gates, seed=seed),
        "operating_points": [
            {"most_false_per_hour": most, **max(allowed, key=lambda row: row["recall_audible"])}
            for most in (0.5, 1.0, 2.0, 3.0, 6.0)
            if (allowed := [row for row in frontier(sweep) if row["false_triggers_per_hour"] <= most])
        ],
        "room_tone": evaluate_room_tone(quiet, gates),
        "fold_clips": fold_clips,
        "mean_area": {
            name: _mean([fold["area"][name]["value"] for fold in fold_clips]) for name in fold_clips[0]["area"]
        },
        "best_gates": frontier(sweep),
    }


def _mean(values: list[float]) -> dict[str, float | None]:
    mean, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return Interval(mean, mean - half, mean + half).to_dict()
