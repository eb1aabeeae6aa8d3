"""Paired measures of detectors on the same clips: areas and recalls by class, with intervals over recordings."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from detector.gate import STEPS
from nowplaying_core.text import markdown_table

__all__ = ["Clips", "beside", "compare", "to_markdown"]

_FALSE_SHARE: Final = 0.05
_N_DRAWS: Final = 1_000

Scores = Mapping[str, NDArray[np.float64]]
"""By setting: a clip's output in [0, 1] for every seed, shape (n_seeds, n_clips)."""


class Clips:
    """What is known of the clips.

    Parameters
    ----------
    rows : sequence of dict
        ``is_music``, ``kind``, ``onset_class`` (None without music) and ``file`` of every clip.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.is_music = np.array([row["is_music"] for row in rows], dtype=bool)
        self.kinds = np.array([row["onset_class"] if row["is_music"] else row["kind"] for row in rows])
        self.recordings = np.unique([row["file"] for row in rows], return_inverse=True)[1]

    def weights(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return how often each clip is in a sample of whole recordings with replacement, each class by itself."""
        drawn = np.zeros(self.is_music.size)
        for rows in (np.flatnonzero(self.is_music), np.flatnonzero(~self.is_music)):
            _, number = np.unique(self.recordings[rows], return_inverse=True)
            n_recordings = int(number.max()) + 1
            drawn[rows] = np.bincount(rng.integers(n_recordings, size=n_recordings), minlength=n_recordings)[number]
        return drawn


def beside(outputs: NDArray[np.int64], scores: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the log-odds of a network alone, and with those of every setting's judge added.

    Parameters
    ----------
    outputs : ndarray of int64, shape (n_clips,), in [0, 255]
    scores : mapping of str to ndarray of float64, shape (n_seeds, n_clips), in [0, 1]
    """
    own = logit((outputs + 0.5) / STEPS)
    added = {f"with {name}": own + logit(np.clip(values, 1e-4, 1 - 1e-4)) for name, values in scores.items()}
    return {"second stage alone": own[None], **added}


def compare(clips: Clips, scores: Scores, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return for every setting and class its measures, and their differences from the first setting's.

    Parameters
    ----------
    clips : Clips
    scores : mapping of str to ndarray
    rng : numpy.random.Generator
        Draws of recordings, the same for all settings.

    Returns
    -------
    list of dict
        ``setting``; ``value``, ``low`` and ``high`` of the difference, by measure: ``area`` against all sounds without
        music, ``area of X``, of one class of music against all of them or of all music against one, and ``recall`` (of
        a class) where one in twenty sounds without music is above the threshold.
    """
    drawn = [np.ones(clips.is_music.size), *(clips.weights(rng) for _ in range(_N_DRAWS))]
    table = {name: [_measures(clips, values, weights) for weights in drawn] for name, values in scores.items()}
    rows: list[dict[str, Any]] = []
    first = next(iter(table.values()))
    for name, measured in table.items():
        row: dict[str, Any] = {"setting": name, "values": measured[0], "differences": {}}
        for measure in measured[0] if rows else ():
            differences = [own[measure] - base[measure] for own, base in zip(measured, first, strict=True)]
            low, high = np.nanquantile(differences[1:], [0.025, 0.975])
            row["differences"][measure] = (differences[0], float(low), float(high))
        rows.append(row)
    return rows


def _measures(clips: Clips, scores: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    """Return areas and recalls, means over the seeds."""
    one = [_of_one_seed(clips, values, weights) for values in scores]
    return {name: float(np.mean([measured[name] for measured in one])) for name in one[0]}


def _of_one_seed(clips: Clips, scores: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    music, other = clips.is_music, ~clips.is_music
    measures = {"area": _area(scores, weights, music, other)}
    for kind in sorted(set(clips.kinds[music])):
        measures[f"area of {kind}"] = _area(scores, weights, music & (clips.kinds == kind), other)
    for kind in sorted(set(clips.kinds[other])):
        measures[f"area against {kind}"] = _area(scores, weights, music, other & (clips.kinds == kind))
    order = np.argsort(-scores[other])
    above = np.cumsum(weights[other][order]) <= _FALSE_SHARE * weights[other].sum()
    threshold = scores[other][order][int(np.count_nonzero(above))]
    for kind in ("", *sorted(set(clips.kinds[music]))):
        chosen = music & ((clips.kinds == kind) | (kind == ""))
        found = float(weights[chosen & (scores > threshold)].sum() / max(weights[chosen].sum(), 1e-9))
        measures[f"recall of {kind or 'all'}"] = found
    return measures


def _area(
    scores: NDArray[np.float64], weights: NDArray[np.float64], high: NDArray[np.bool_], low: NDArray[np.bool_]
) -> float:
    """Return the area of weighted clips; ties count half."""
    order = np.sort(np.unique(scores[low]))
    by_score = np.bincount(np.searchsorted(order, scores[low]), weights=weights[low], minlength=order.size)
    below = np.concatenate([[0.0], np.cumsum(by_score)])
    left, right = (np.searchsorted(order, scores[high], side=side) for side in ("left", "right"))
    total = weights[high].sum() * weights[low].sum()
    return float((weights[high] * (below[left] + below[right])).sum() / 2 / total) if total else float("nan")


def to_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of the measures, with intervals of the differences from the first setting."""
    measures = list(rows[0]["values"])
    cells = []
    for row in rows:
        values = [f"{row['values'][measure]:.3f}" for measure in measures]
        for number, measure in enumerate(measures):
            if measure in row["differences"]:
                values[number] += " ({:+.3f}; {:+.3f} to {:+.3f})".format(*row["differences"][measure])
        cells.append((row["setting"], *values))
    return markdown_table(("setting", *measures), cells, numbers=range(1, len(measures) + 1))
