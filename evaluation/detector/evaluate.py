"""Measure a detector: ROC area on clips, and regions found against false wake-ups on long streams."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from detector.gate import GateConfig
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from detector.training.pools import SoundPools
from evaluation.detector.clip_metrics import clip_metrics
from evaluation.detector.clips import Clip, clip_rng, compose_clip
from evaluation.detector.graphs import DetectorGraphs
from evaluation.detector.label_audit import read_table, without_doubtful
from evaluation.detector.second_stage_runs import second_stage_metrics
from evaluation.detector.stream_metrics import room_tone_metrics, stream_metrics
from evaluation.detector.streams import compose_room_tone, compose_stream, stream_rng
from evaluation.detector.sweep import SILENCE_DBFS, choose_gate, frontier, sweep_gate
from evaluation.detector.tracks import StreamTrack, run_detector
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.processes import as_given, every_tenth, share_out

__all__ = ["STREAM_S", "StreamSettings", "compose_clips", "evaluate_detector", "run_streams"]

STREAM_S: Final = 600.0
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
    max_false_per_hour: float | None = None,
    seed: int = 1,
    jobs: int = 1,
    leave_out: Path | None = None,
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
        None for all recordings.
    n_clips : int
        Number of clips with music, and of clips without.
    n_streams, n_room_tone : int
        Number of streams with music regions, and of streams of recorded noise alone (`compose_room_tone`).
    stream_s : float, seconds
        Length of each stream.
    max_false_per_hour : float or None
        Choose the gate from these streams for at most so many false wake-ups an hour; None: use the manifest's gate.
    seed : int
        Clip i and stream i are the same for every model under one seed, so that comparisons are paired.
    jobs : int >= 1
        Number of processes; the result does not depend on it.
    leave_out : Path or None
        Table of :mod:`evaluation.detector.label_audit`, whose doubtful recordings are not used.

    Returns
    -------
    dict
        Plain values for ``metrics.json``; ``evaluation.detector.report.to_markdown`` shows them.
    """
    folder = ModelFolder.open(model_source, role="detector")
    graphs = DetectorGraphs.of(folder)
    pools = SoundPools.from_sources(TrainingSources(corpus=corpus, cache_dir=cache_dir), split)
    if leave_out is not None:
        pools = without_doubtful(pools, read_table(leave_out))
    gate = GateConfig.from_dict(folder.manifest["gate"])
    if max_false_per_hour is not None:
        gate = replace(gate, silence_dbfs=SILENCE_DBFS)
    clips = compose_clips(pools, n_clips, seed=seed, jobs=jobs)
    settings = StreamSettings(gate=gate, seed=seed, stream_s=stream_s)
    tracks = run_streams([(pools, graphs)], n_streams, settings, jobs=jobs)
    sweep = sweep_gate(tracks)
    if max_false_per_hour is not None:
        gate = choose_gate(sweep, max_false_per_hour=max_false_per_hour)
    quiet = run_streams([(pools, graphs)], n_room_tone, replace(settings, gate=gate, room_tone=True), jobs=jobs)
    metrics = {
        "schema": "detector-metrics/2",
        "model": {"name": folder.manifest["name"], "version": folder.manifest["version"]},
        "model_sha256": folder.manifest["files"][MODEL_FILE]["sha256"],
        "model_bytes": folder.manifest["files"][MODEL_FILE]["bytes"],
        "split": (split or "all") + (" without doubtful recordings" if leave_out is not None else ""),
        "seed": seed,
        "clips": clip_metrics(clips, graphs, seed=seed),
        "streams": stream_metrics(tracks, [gate], seed=seed),
        "room_tone": room_tone_metrics(quiet, [gate]),
        "best_gates": frontier(sweep),
    }
    if graphs.second is not None:
        graph = folder.manifest["files"][SECOND_STAGE_FILE]
        runs = second_stage_metrics(tracks, graphs.wanted_above, seed=seed)
        metrics["second_stage"] = {"model_sha256": graph["sha256"], "model_bytes": graph["bytes"], **runs}
    return metrics


def compose_clips(pools: SoundPools, n_clips: int, *, seed: int, jobs: int) -> list[Clip]:
    """Return so many clips with music and as many without."""
    _log.info("composing %d clips", 2 * n_clips)
    progress = every_tenth(_log.info, "clips")
    return share_out(_clip, range(2 * n_clips), as_given, pools, seed, jobs=jobs, progress=progress)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamSettings:
    """How streams are composed and detected.

    Attributes
    ----------
    gate : GateConfig
        Only its level of silence matters here.
    seed : int
    stream_s : float, seconds
        Length of each.
    room_tone : bool
        Quiet recorded noise without music.
    folder : Path or None
        Where finished tracks are kept, so that an interrupted evaluation goes on.
    """

    gate: GateConfig
    seed: int
    stream_s: float = STREAM_S
    room_tone: bool = False
    folder: Path | None = None


def run_streams(
    models: Sequence[tuple[SoundPools, DetectorGraphs]], n_streams: int, settings: StreamSettings, *, jobs: int
) -> list[StreamTrack]:
    """Compose streams and run the detector on them.

    Parameters
    ----------
    models : sequence of (SoundPools, DetectorGraphs)
        Recordings, and the detector that runs on them; stream i uses pair number i modulo the number of pairs.
    n_streams : int
    settings : StreamSettings
    jobs : int >= 1
        Number of processes.
    """
    _log.info("running the detector on %d streams%s", n_streams, " of room tone" if settings.room_tone else "")
    progress = every_tenth(_log.info, "streams")
    return share_out(_track, range(n_streams), as_given, models, settings, jobs=jobs, progress=progress)


def _clip(state: tuple[SoundPools, int], index: int) -> Clip:
    pools, seed = state
    return compose_clip(pools, clip_rng(seed, index), is_music=index % 2 == 0)


def _track(state: tuple[Sequence[tuple[SoundPools, DetectorGraphs]], StreamSettings], index: int) -> StreamTrack:
    models, settings = state
    name = "room-tone" if settings.room_tone else "stream"
    kept = None if settings.folder is None else settings.folder / f"{name}-{index:04d}.json"
    if kept is not None and kept.is_file():
        return StreamTrack.load(kept)
    pools, graphs = models[index % len(models)]
    compose = compose_room_tone if settings.room_tone else compose_stream
    rng = stream_rng(settings.seed, index, room_tone=settings.room_tone)
    stream = compose(pools, rng, duration_s=settings.stream_s)
    track = run_detector(stream, graphs, settings.gate)
    if kept is not None:
        track.save(kept)
    return track
