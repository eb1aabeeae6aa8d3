"""Metrics over clips: ROC areas by condition, by level of the music and by kind of sound without music."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.gate import STEPS
from detector.network import StreamingNetwork
from detector.second_stage import SecondStage
from evaluation.detector.clips import CONDITIONS, Clip
from evaluation.detector.graphs import DetectorGraphs
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.statistics import bootstrap_area

__all__ = ["areas_of", "clip_metrics"]


class _Trial(Protocol):
    """What a clip tells of itself, with features or without."""

    @property
    def is_music(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def snr_db(self) -> float | None: ...
    @property
    def file(self) -> CorpusFile: ...


def clip_metrics(clips: Sequence[Clip], graphs: DetectorGraphs, *, seed: int = 0) -> dict[str, Any]:
    """Return ROC areas by condition, by level of the music and by kind of sound without music.

    Parameters
    ----------
    clips : sequence of Clip
    graphs : DetectorGraphs
        The second stage, where there is one, judges every clip: the first only decides when it runs.
    seed : int
        Seed of the bootstrap over recordings.
    """
    network = StreamingNetwork(graphs.first_stage(reference_kernels=True))
    second_stage = graphs.second_stage(reference_kernels=True, always=True)
    scores = {name: _scores([clip.windows[name] for clip in clips], network, second_stage) for name in clips[0].windows}
    return {**areas_of(clips, scores, seed=seed), "hardest_other": _hardest(clips, scores[CONDITIONS[0]])}


def areas_of(clips: Sequence[_Trial], scores: Mapping[str, NDArray[np.float64]], *, seed: int) -> dict[str, Any]:
    """Return the ROC areas of scores by condition, and in the full band by level and by kind of sound without music.

    Parameters
    ----------
    clips : sequence of Clip or of ClipSounds
    scores : mapping of str to ndarray of float64, shape (n_clips,)
        By condition; larger is surer of music.
    seed : int
        Seed of the bootstrap over recordings.
    """
    y_true = np.array([clip.is_music for clip in clips])
    names = sorted({str(clip.file.path) for clip in clips})
    groups = np.array([names.index(str(clip.file.path)) for clip in clips])

    def area(chosen: NDArray[np.bool_], values: NDArray[np.float64]) -> dict[str, float | None]:
        rng = np.random.default_rng(seed)
        return bootstrap_area(values[chosen], y_true[chosen], groups[chosen], rng).to_dict()

    wide = scores[CONDITIONS[0]]
    every = np.ones(len(clips), dtype=bool)
    snr_db = np.array([np.nan if clip.snr_db is None else clip.snr_db for clip in clips])
    kinds = np.array([clip.kind for clip in clips])
    by_snr = {
        f"{low} to {low + 5} dB": area(~y_true | ((snr_db >= low) & (snr_db < low + 5)), wide) for low in (0, 5, 10, 15)
    }
    by_kind = {kind: area(y_true | (kinds == kind), wide) for kind in sorted(set(kinds[~y_true]))}
    return {
        "n_music": int(y_true.sum()),
        "n_other": int((~y_true).sum()),
        "n_recordings": len(names),
        "area": {name: area(every, values) for name, values in scores.items()},
        "area_by_snr": by_snr,
        "area_by_other": by_kind,
    }


def _scores(
    windows: Sequence[NDArray[np.int8]], network: StreamingNetwork, second_stage: SecondStage | None
) -> NDArray[np.float64]:
    scores = []
    for window in windows:
        network.reset()
        outputs = network.process(window)
        if second_stage is not None:
            second_stage.reset()
            outputs = second_stage.process(window, outputs)
        ((_, output),) = outputs
        scores.append(output / STEPS)
    return np.array(scores, dtype=np.float64)


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
