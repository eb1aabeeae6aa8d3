"""How well does the detector hear? ROC area on clips, and regions found against false triggers on long streams."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.clips import Clip, compose_clip
from detector.gate import GateConfig
from detector.metrics import bootstrap_area, poisson_rate, share
from detector.pools import SoundPools
from detector.report import to_markdown
from detector.stream import MODEL_FILE
from detector.streams import StreamTrack, compose_stream, false_triggers, found_regions, hear_stream, triggers_of
from nowplaying.manifest import ModelFolder
from nowplaying.runtime import TfliteModel

__all__ = ["choose_gate", "evaluate_clips", "evaluate_detector", "evaluate_streams", "sweep_gate", "to_markdown"]

Progress = Callable[[str], None]
Task = TypeVar("Task")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def evaluate_detector(
    model_source: str | Path = "detector-v1",
    *,
    corpus: Path,
    split: str | None = "dev",
    cache_dir: Path | None = None,
    n_clips: int = 1_000,
    n_streams: int = 36,
    seed: int = 1,
    jobs: int = 1,
    report: Progress | None = None,
) -> dict[str, Any]:
    """Measure a model on clips and streams composed from recordings that it was not trained on.

    Parameters
    ----------
    model_source : str or Path
        Shipped name or model folder.
    corpus : Path
        Folder with ``music.tsv``, ``noise.tsv``, ``speech.tsv`` and perhaps ``rir.tsv``.
    split : str or None
    cache_dir : Path or None
        For decoded audio.
    n_clips : int
        Of music, and as many without.
    n_streams : int
        Streams of five minutes.
    seed : int
        Clip i and stream i are the same for every model under one seed, so that comparisons are paired.
    jobs : int >= 1
        Processes; the result does not depend on it.
    report : callable or None
        Receives a line of progress now and then.

    Returns
    -------
    dict
        Plain values for ``metrics.json``; ``to_markdown`` shows them.
    """
    folder = ModelFolder.open(model_source, role="detector")
    model_path = folder.file(MODEL_FILE)
    pools = SoundPools.from_corpus(corpus, split, cache_dir=cache_dir)
    gate = GateConfig.from_dict(folder.manifest["gate"])
    say = report or _log.info
    clips = _mapped(_clip, [(pools, seed, index) for index in range(2 * n_clips)], jobs, say, "clips")
    tracks = _mapped(_track, [(pools, seed, index, model_path) for index in range(n_streams)], jobs, say, "streams")
    model = TfliteModel(model_path, reference_kernels=True)
    return {
        "schema": "detector-metrics/1",
        "model": {"name": folder.manifest["name"], "version": folder.manifest["version"]},
        "model_sha256": folder.manifest["files"][MODEL_FILE]["sha256"],
        "model_bytes": folder.manifest["files"][MODEL_FILE]["bytes"],
        "split": split or "all",
        "seed": seed,
        "clips": evaluate_clips(clips, model, seed=seed),
        "streams": evaluate_streams(tracks, gate),
        "gate_sweep": sweep_gate(tracks),
    }


def _clip(task: tuple[SoundPools, int, int]) -> Clip:
    pools, seed, index = task
    return compose_clip(pools, np.random.default_rng([seed, 0, index]), is_music=index % 2 == 0)


def _track(task: tuple[SoundPools, int, int, Path]) -> StreamTrack:
    pools, seed, index, model_path = task
    stream = compose_stream(pools, np.random.default_rng([seed, 1, index]))
    return hear_stream(stream, TfliteModel(model_path, reference_kernels=True))


def _mapped(
    function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, say: Progress, name: str
) -> list[Result]:
    """Return the results in order, computed by some processes, with a word of progress now and then."""
    results, step = [], max(1, len(tasks) // 10)
    with ExitStack() as stack:
        mapped: Iterable[Result] = map(function, tasks)
        if jobs > 1:
            pool = stack.enter_context(ProcessPoolExecutor(jobs, mp_context=get_context("spawn")))
            mapped = pool.map(function, tasks, chunksize=max(1, len(tasks) // (8 * jobs)))
        for result in mapped:
            results.append(result)
            if len(results) % step == 0:
                say(f"{len(results)} of {len(tasks)} {name}")
    return results


def evaluate_clips(clips: Sequence[Clip], model: TfliteModel, *, seed: int = 0) -> dict[str, Any]:
    """Return ROC areas by condition, by level of the music and by what is there instead of music.

    Parameters
    ----------
    clips : sequence of Clip
    model : TfliteModel
    seed : int
        Of the bootstrap over recordings.
    """
    labels = np.array([clip.is_music for clip in clips])
    names = sorted({str(clip.file.path) for clip in clips})
    groups = np.array([names.index(str(clip.file.path)) for clip in clips])
    scores = {name: _scores([clip.windows[name] for clip in clips], model) for name in clips[0].windows}

    def area(chosen: NDArray[np.bool_], values: NDArray[np.float64]) -> dict[str, float]:
        rng = np.random.default_rng(seed)
        return bootstrap_area(values[chosen], labels[chosen], groups[chosen], rng).to_dict()

    wide = scores["full band"]
    every = np.ones(len(clips), dtype=bool)
    snr_db = np.array([np.nan if clip.snr_db is None else clip.snr_db for clip in clips])
    kinds = np.array([clip.kind for clip in clips])
    by_snr = {
        f"{low} to {low + 5} dB": area(~labels | ((snr_db >= low) & (snr_db < low + 5)), wide) for low in (0, 5, 10, 15)
    }
    by_kind = {kind: area(labels | (kinds == kind), wide) for kind in sorted(set(kinds[~labels]))}
    return {
        "n_music": int(labels.sum()),
        "n_other": int((~labels).sum()),
        "n_recordings": len(names),
        "area": {name: area(every, values) for name, values in scores.items()},
        "area_by_snr": by_snr,
        "area_by_other": by_kind,
        "hardest_other": _hardest(clips, wide),
    }


def evaluate_streams(tracks: Sequence[StreamTrack], gate: GateConfig) -> dict[str, Any]:
    """Return what a gate finds and what it triggers falsely, over all streams."""
    found, total, false, delays = 0, 0, 0, []
    for track in tracks:
        times = triggers_of(track, gate)
        hits = found_regions(track.regions, times)
        found, total = found + len(hits), total + len(track.regions)
        delays += list(hits.values())
        false += len(false_triggers(track.regions, times))
    hours = sum(track.other_s for track in tracks) / 3_600
    return {
        "gate": gate.to_dict(),
        "n_streams": len(tracks),
        "hours": round(sum(track.duration_s for track in tracks) / 3_600, 3),
        "hours_without_music": round(hours, 3),
        "n_regions": total,
        "recall": share(found, total).to_dict(),
        "n_false_triggers": false,
        "false_triggers_per_hour": poisson_rate(false, hours).to_dict(),
        "median_delay_s": round(float(np.median(delays)), 2) if delays else None,
    }


def sweep_gate(tracks: Sequence[StreamTrack]) -> list[dict[str, Any]]:
    """Return recall and false triggers for a grid of gates: window, threshold, consecutive hits."""
    rows = []
    for window in (1, 2, 4, 6, 8):
        for hits in (1, 2, 3, 5):
            for threshold in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98):
                gate = _gate(window, threshold, hits)
                result = evaluate_streams(tracks, gate)
                rows.append(
                    {
                        "window": window,
                        "consecutive_hits": hits,
                        "enter_threshold": threshold,
                        "recall": result["recall"]["value"],
                        "false_triggers_per_hour": result["false_triggers_per_hour"]["value"],
                        "median_delay_s": result["median_delay_s"],
                    }
                )
    return rows


def choose_gate(sweep: Sequence[dict[str, Any]], *, most_false_per_hour: float) -> GateConfig:
    """Return the gate of a sweep with the best recall among those that trigger falsely rarely enough.

    Parameters
    ----------
    sweep : sequence of dict
        Rows of ``sweep_gate``.
    most_false_per_hour : float
        Of sound without music. Where no gate is that quiet, the quietest is chosen.
    """
    quiet = [row for row in sweep if row["false_triggers_per_hour"] <= most_false_per_hour]
    if not quiet:
        least = min(row["false_triggers_per_hour"] for row in sweep)
        quiet = [row for row in sweep if row["false_triggers_per_hour"] == least]
    best = max(quiet, key=lambda row: (row["recall"], -row["false_triggers_per_hour"], -(row["median_delay_s"] or 0)))
    return _gate(best["window"], best["enter_threshold"], best["consecutive_hits"])


def _gate(window: int, threshold: float, hits: int) -> GateConfig:
    return GateConfig(
        window=window,
        enter_threshold=threshold,
        leave_threshold=round(0.6 * threshold, 3),
        consecutive_hits=hits,
        cool_down_s=60.0,
    )


def _scores(windows: Sequence[NDArray[np.int8]], model: TfliteModel) -> NDArray[np.float64]:
    outputs = [model.output.dequantize(model.run(window[None, :, None, :])).reshape(-1)[0] for window in windows]
    return np.array(outputs, dtype=np.float64)


def _hardest(clips: Sequence[Clip], scores: NDArray[np.float64], n_kept: int = 6) -> list[dict[str, Any]]:
    """Return the labelled sounds without music that score highest."""
    by_label: dict[str, list[float]] = {}
    for clip, score in zip(clips, scores, strict=True):
        if not clip.is_music:
            by_label.setdefault(clip.file.label or clip.kind, []).append(float(score))
    rows = [
        {"label": label, "n_clips": len(values), "mean_probability": round(float(np.mean(values)), 3)}
        for label, values in by_label.items()
        if len(values) >= 5
    ]
    return sorted(rows, key=lambda row: -float(str(row["mean_probability"])))[:n_kept]
