"""From predictions to figures: accuracies, their means over tasks, and differences between methods."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.statistics import bootstrap_means, middle_95

__all__ = ["Right", "compare"]

# By method, mode and share of labels: whether each answer was correct, shape (n_runs, n_label_draws, n_examples).
Right = Mapping[tuple[str, str, float], NDArray[np.bool_]]
_RUNS: Final = 1  # apart from the generators of the tasks' units


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
        ``task`` (not in means), ``method``, ``mode``, ``label_share``, ``n_runs``, ``accuracy`` with ``low`` and
        ``high``; ``minus``, by each other method the ``difference`` to it with ``low`` and ``high``.

    Notes
    -----
    The same generator draws the same units for all methods, however many runs each has, so their difference is paired.
    Different tasks' units are drawn independently: a mean's interval is that of other sounds, not of other tasks. The
    runs of a method are drawn once for all tasks, since one run answers them all. What a run answers with different
    draws of the labels is averaged first; of a single run, these draws stand for its spread.
    """
    numbers = {method: number for number, method in enumerate(dict.fromkeys(key[0] for key in answers[0]))}
    rows, drawn = [], []
    for number, ((task, units), correct) in enumerate(zip(tasks.items(), answers, strict=True)):
        draws = {key: _draws(found, units, number, numbers[key[0]]) for key, found in correct.items()}
        accuracies = {key: float(found.mean()) for key, found in correct.items()}
        for key, found in correct.items():
            rows.append({"task": task, **_row(key, accuracies, draws), "n_runs": len(found)})
        drawn.append((accuracies, draws))
    keys = list(answers[0])
    accuracies = {key: float(np.mean([of_task[key] for of_task, _ in drawn])) for key in keys}
    draws = {key: np.mean([of_task[key] for _, of_task in drawn], axis=0) for key in keys}
    return rows, [_row(key, accuracies, draws) for key in keys]


def _draws(correct: NDArray[np.bool_], units: Sequence[str], task: int, method: int) -> NDArray[np.float64]:
    of_units = np.random.default_rng(task)
    if len(correct) == 1:
        return bootstrap_means(correct[0], units, of_units)
    return bootstrap_means(correct.mean(axis=1), units, of_units, np.random.default_rng([_RUNS, 1 + method]))


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
