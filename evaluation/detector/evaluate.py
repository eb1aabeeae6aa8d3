"""How well does the detector hear? ROC area on clips, and regions found against false triggers on long streams."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from detector.gate import GateConfig
from detector.stream import MODEL_FILE
from detector.training.pools import SoundPools
from evaluation.detector.clip_metrics import evaluate_clips
from evaluation.detector.clips import Clip, compose_clip
from evaluation.detector.report import to_markdown
from evaluation.detector.roc import SILENCE_DBFS, choose_gate, frontier, sweep_gate
from evaluation.detector.stream_metrics import evaluate_room_tone, evaluate_streams
from evaluation.detector.streams import compose_room_tone, compose_stream
from evaluation.detector.tracks import StreamTrack, hear_stream
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["STREAM_S", "compose_clips", "evaluate_detector", "hear_streams", "mapped", "to_markdown"]

STREAM_S: Final = 600.0
Progress = Callable[[str], None]
Task = TypeVar("Task")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def evaluate_detector(
    model_source: str | Path = SHIPPED_DETECTOR,
    *,
    corpus: Path,
    cache_dir: Path,
    split: str | None = "dev",
    n_clips: int = 1_000,
    n_streams: int = 60,
    n_room_tone: int = 48,
    stream_s: float = STREAM_S,
    fit_most_false_per_hour: float | None = None,
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
    cache_dir : Path
        For decoded audio.
    split : str or None
    n_clips : int
        Of music, and as many without.
    n_streams, n_room_tone : int
        Streams with music regions, and of recorded noise at -70 to -50 dBFS alone.
    stream_s : float
        Length of each.
    fit_most_false_per_hour : float or None
        Choose the gate from these streams, for at most so many false triggers, instead of taking the manifest's.
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
    pools = SoundPools.from_sources(TrainingSources(corpus=corpus, cache_dir=cache_dir), split)
    gate = GateConfig.from_dict(folder.manifest["gate"])
    say = report or _log.info
    if fit_most_false_per_hour is not None:
        gate = replace(gate, silence_dbfs=SILENCE_DBFS)
    clips = compose_clips(pools, n_clips, seed=seed, jobs=jobs, say=say)
    hearing: dict[str, Any] = {"seed": seed, "jobs": jobs, "say": say, "stream_s": stream_s}
    tracks = hear_streams([(pools, model_path)], n_streams, gate=gate, **hearing)
    sweep = sweep_gate(tracks)
    if fit_most_false_per_hour is not None:
        gate = choose_gate(sweep, most_false_per_hour=fit_most_false_per_hour)
    quiet = hear_streams([(pools, model_path)], n_room_tone, gate=gate, room_tone=True, **hearing)
    model = TfliteModel(model_path, reference_kernels=True)
    return {
        "schema": "detector-metrics/2",
        "model": {"name": folder.manifest["name"], "version": folder.manifest["version"]},
        "model_sha256": folder.manifest["files"][MODEL_FILE]["sha256"],
        "model_bytes": folder.manifest["files"][MODEL_FILE]["bytes"],
        "split": split or "all",
        "seed": seed,
        "clips": evaluate_clips(clips, model, seed=seed),
        "streams": evaluate_streams(tracks, [gate], seed=seed),
        "room_tone": evaluate_room_tone(quiet, [gate]),
        "best_gates": frontier(sweep),
    }


def compose_clips(pools: SoundPools, n_clips: int, *, seed: int, jobs: int, say: Progress) -> list[Clip]:
    """Return so many clips with music and as many without."""
    return mapped(_clip, [(pools, seed, index) for index in range(2 * n_clips)], jobs, say, "clips")


def hear_streams(
    models: Sequence[tuple[SoundPools, Path]],
    n_streams: int,
    *,
    seed: int,
    jobs: int,
    say: Progress,
    gate: GateConfig | None = None,
    room_tone: bool = False,
    stream_s: float = STREAM_S,
    folder: Path | None = None,
) -> list[StreamTrack]:
    """Compose streams and hear them; stream i is of pool and model number i modulo their number.

    Parameters
    ----------
    models : sequence of (SoundPools, Path)
        Recordings, and the graph that hears them.
    n_streams : int
    seed, jobs : int
    say : callable
    gate : GateConfig or None
        Says what counts as silence.
    room_tone : bool
        Quiet recorded noise without music instead.
    stream_s : float
        Length of each.
    folder : Path or None
        Where finished tracks are kept, so that an interrupted evaluation goes on.
    """
    name = "room-tone" if room_tone else "stream"
    tasks = [
        _Task(
            pools=models[index % len(models)][0],
            model_path=models[index % len(models)][1],
            seed=seed,
            index=index,
            gate=gate,
            room_tone=room_tone,
            stream_s=stream_s,
            kept=None if folder is None else folder / f"{name}-{index:04d}.json",
        )
        for index in range(n_streams)
    ]
    return mapped(_track, tasks, jobs, say, "streams of room tone" if room_tone else "streams")


def _clip(task: tuple[SoundPools, int, int]) -> Clip:
    pools, seed, index = task
    return compose_clip(pools, np.random.default_rng([seed, 0, index]), is_music=index % 2 == 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """One stream to hear."""

    pools: SoundPools
    model_path: Path
    seed: int
    index: int
    gate: GateConfig | None
    room_tone: bool
    stream_s: float
    kept: Path | None


def _track(task: _Task) -> StreamTrack:
    if task.kept is not None and task.kept.is_file():
        return StreamTrack.load(task.kept)
    compose = compose_room_tone if task.room_tone else compose_stream
    rng = np.random.default_rng([task.seed, 2 if task.room_tone else 1, task.index])
    stream = compose(task.pools, rng, duration_s=task.stream_s)
    reference = TfliteModel(task.model_path, reference_kernels=True)
    track = hear_stream(stream, reference, task.gate, TfliteModel(task.model_path))
    if task.kept is not None:
        track.save(task.kept)
    return track


def mapped(
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
