"""Whether a score is a probability: of the answers with 0.9, nine in ten should be right."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from nowplaying_core.text import markdown_table

__all__ = ["reliability", "reliability_table"]

_N_BINS: Final = 10


def reliability(
    known_scores: NDArray[np.float64], is_correct: NDArray[np.bool_], unknown_scores: NDArray[np.float64]
) -> dict[str, Any]:
    """Compare scores with how often their answers are right, at even odds of a song being in the database.

    Parameters
    ----------
    known_scores : ndarray of float64, shape (n_known,), in [0, 1]
        Of the best answers to queries of indexed music.
    is_correct : ndarray of bool, shape (n_known,)
    unknown_scores : ndarray of float64, shape (n_unknown,), in [0, 1]
        Of the best answers to music that is not indexed: all of them are wrong.

    Returns
    -------
    dict
        ``brier``, the mean squared error of the scores, in [0, 1] (Brier 1950); ``expected_calibration_error``, the
        mean distance of a score to the share of right answers over ten bins of equal width, weighted by their answers
        (Naeini et al. 2015); ``n_known``, ``n_unknown``; and ``bins`` with ``low``, ``high``, ``n``, ``share`` of all
        answers, ``mean_score`` and ``right``. Known and unknown music weigh a half each, however many there are.

    Raises
    ------
    ConfigError
        When a side is empty.
    """
    if known_scores.size == 0 or unknown_scores.size == 0:
        message = f"reliability: expected scores of both sides, found {known_scores.size} and {unknown_scores.size}"
        raise ConfigError(message)
    scores = np.concatenate([known_scores, unknown_scores])
    right = np.concatenate([is_correct, np.zeros(unknown_scores.size, bool)]).astype(np.float64)
    sides = ((known_scores.size, 0.5), (unknown_scores.size, 0.5))
    weights = np.concatenate([np.full(size, half / size) for size, half in sides])
    numbers = np.minimum((scores * _N_BINS).astype(np.int64), _N_BINS - 1)
    bins, error = [], 0.0
    for number in range(_N_BINS):
        inside = numbers == number
        share = float(weights[inside].sum())
        row: dict[str, Any] = {"low": number / _N_BINS, "high": (number + 1) / _N_BINS, "n": int(inside.sum())}
        row |= {"share": share, "mean_score": None, "right": None}
        if share:
            row["mean_score"] = float(weights[inside] @ scores[inside]) / share
            row["right"] = float(weights[inside] @ right[inside]) / share
            error += share * abs(row["mean_score"] - row["right"])
        bins.append(row)
    return {
        "n_known": int(known_scores.size),
        "n_unknown": int(unknown_scores.size),
        "brier": float(weights @ (scores - right) ** 2),
        "expected_calibration_error": error,
        "bins": bins,
    }


def reliability_table(measured: Mapping[str, Any]) -> str:
    """Return the reliability diagram as a Markdown table."""
    rows = []
    for one in measured["bins"]:
        is_empty = one["right"] is None
        figures = ["", ""] if is_empty else [f"{100 * one['mean_score']:.1f}", f"{100 * one['right']:.1f}"]
        rows.append([f"{one['low']:.1f} to {one['high']:.1f}", f"{one['n']}", f"{100 * one['share']:.1f}", *figures])
    headings = ["score", "answers", "share %", "mean score %", "right %"]
    return markdown_table(headings, rows)
