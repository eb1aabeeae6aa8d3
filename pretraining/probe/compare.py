"""From predictions to figures: accuracies, their means over tasks, and differences between methods."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.statistics import bootstrap_means, middle_95

__all__ = ["Right", "compare"]

# By method, mode and share of labels: whether each answer was correct, shape (n_seeds, n_examples).
Right = Mapping[tuple[str, str, float], NDArray[np.bool_]]


def compare(
    tasks: Mapping[str, Sequence[str]], answers: Sequence[Right]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of all tasks, and those of the means over tasks.

    Parameters
    ----------
    tasks : mapping of str to sequence of str
        By name, the unit that each test example belongs to.
    answers : sequence of Right
        For each task, with the same keys.

    Returns
    -------
    rows, means : list of dict
        ``task`` (not in means), ``method``, ``mode``, ``label_share``, ``n_seeds``, ``accuracy`` with ``low`` and
        ``high``; ``minus``, by each other method the ``difference`` to it with ``low`` and ``high``.

    Notes
    -----
    The same generator draws the same units for all methods, however many seeds each has, so their difference is paired.
    Different tasks are drawn independently: a mean's interval is that of other sounds, not of other tasks.
    """
    rows, drawn = [], []
    for number, ((task, units), correct) in enumerate(zip(tasks.items(), answers, strict=True)):
        draws = {key: bootstrap_means(matrix, units, np.random.default_rng(number)) for key, matrix in correct.items()}
        accuracies = {key: float(matrix.mean()) for key, matrix in correct.items()}
        for key, matrix in correct.items():
            rows.append({"task": task, **_row(key, accuracies, draws), "n_seeds": len(matrix)})
        drawn.append((accuracies, draws))
    keys = list(answers[0])
    accuracies = {key: float(np.mean([of_task[key] for of_task, _ in drawn])) for key in keys}
    draws = {key: np.mean([of_task[key] for _, of_task in drawn], axis=0) for key in keys}
    return rows, [_row(key, accuracies, draws) for key in keys]


def _row(
    key: tuple[str, str, float],
    accuracies: Mapping[tuple[str, str, float], float],
    draws: Mapping[tuple[str, str, float], NDArray[np.float64]],
) -> dict[str, Any]:
    method, mode, share = key
    low, high = middle_95(draws[key])
    minus = {}
    for other in accuracies:
        if other[1:] == key[1:] and other != key:
            least, most = middle_95(draws[key] - draws[other])
            minus[other[0]] = {"difference": accuracies[key] - accuracies[other], "low": least, "high": most}
    common = {"method": method, "mode": mode, "label_share": share}
    return {**common, "accuracy": accuracies[key], "low": low, "high": high, "minus": minus}
