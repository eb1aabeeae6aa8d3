"""From predictions to figures: accuracies, their means over tasks, and differences between methods."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.statistics import bootstrap_means, draw_run_errors, middle_95

__all__ = ["Right", "compare"]

Key = tuple[str, str, float]
# By method, mode and share of labels: whether each answer was correct, shape (n_runs, n_label_draws, n_examples).
Right = Mapping[Key, NDArray[np.bool_]]
Draws = Mapping[Key, NDArray[np.float64]]
_MANY_RUNS: Final = 5  # tell by themselves how much they vary


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
    An interval has two parts. *Sounds*: bootstrap over units. The same generator draws the same units for all methods,
    so their difference is paired; different tasks' units are drawn independently, and a mean's interval is that of
    other sounds, not of other tasks. *Runs*: Student's t (:func:`nowplaying_core.statistics.draw_run_errors`) of a
    run's accuracy, for the mean of its mean over tasks, since one run answers them all. Methods of fewer than five runs
    are taken to vary alike. Of a single run, its draws of the labels stand for runs.
    """
    units = [
        {
            key: bootstrap_means(found.mean(axis=(0, 1)), names, np.random.default_rng(number))
            for key, found in one.items()
        }
        for number, (names, one) in enumerate(zip(tasks.values(), answers, strict=True))
    ]
    runs = [{key: _of_runs(found) for key, found in one.items()} for one in answers]
    n_runs = {key: len(found) for key, found in answers[0].items()}
    rows = [
        {"task": task, **row}
        for task, drawn, of_runs in zip(tasks, units, runs, strict=True)
        for row in _rows(drawn, of_runs, n_runs)
    ]
    drawn, of_runs = ({key: np.mean([one[key] for one in each], axis=0) for key in n_runs} for each in (units, runs))
    return rows, _rows(drawn, of_runs, n_runs)


def _of_runs(correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the accuracy of each run, or of a single run that with each draw of the labels."""
    accuracies: NDArray[np.float64] = correct[0].mean(axis=1) if len(correct) == 1 else correct.mean(axis=(1, 2))
    return accuracies


def _rows(units: Draws, runs: Draws, n_runs: Mapping[Key, int]) -> list[dict[str, Any]]:
    """Return a row for each method, mode and share, from drawn means and the accuracies of runs."""
    draws = {}
    for key, of_method in runs.items():
        rng = np.random.default_rng(zlib.crc32(key[0].encode()))  # the same whatever other methods there are
        alike = [of_method]
        if n_runs[key] < _MANY_RUNS:
            alike = [
                of_other
                for other, of_other in runs.items()
                if other[1:] == key[1:] and n_runs[other] < _MANY_RUNS and (n_runs[other] > 1) == (n_runs[key] > 1)
            ]
        draws[key] = units[key] + draw_run_errors(of_method, rng, alike)
    accuracies = {key: float(of_method.mean()) for key, of_method in runs.items()}
    return [_row(key, accuracies, draws, n_runs[key]) for key in runs]


def _row(key: Key, accuracies: Mapping[Key, float], draws: Draws, n_runs: int) -> dict[str, Any]:
    method, mode, share = key
    low, high = middle_95(np.clip(draws[key], 0.0, 1.0))
    minus = {}
    for other in accuracies:
        if other[1:] == key[1:] and other != key:
            least, most = middle_95(draws[key] - draws[other])
            minus[other[0]] = {"difference": accuracies[key] - accuracies[other], "low": least, "high": most}
    common = {"method": method, "mode": mode, "label_share": share, "n_runs": n_runs}
    return {**common, "accuracy": accuracies[key], "low": low, "high": high, "minus": minus}
