"""ROC areas and DET curves of single windows, from how often each of the 256 outputs occurs."""

import numpy as np
from numpy.typing import NDArray

from detector.gate import STEPS
from nowplaying_core.statistics import Interval

__all__ = ["det_curve", "window_area", "window_counts"]


def window_counts(outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many windows had each of the 256 outputs: all that a ROC curve needs."""
    return np.bincount(outputs, minlength=STEPS)


def window_area(
    positive: NDArray[np.int64], negative: NDArray[np.int64], rng: np.random.Generator, n_resamples: int = 300
) -> Interval:
    """Return the area under the ROC curve of single windows, with an interval by bootstrap over streams.

    Parameters
    ----------
    positive, negative : ndarray of int64, shape (n_streams, 256)
        Counts of outputs, of ``window_counts``.
    rng : numpy.random.Generator
    n_resamples : int
    """
    draws = rng.integers(len(positive), size=(n_resamples, len(positive)))
    areas = [_area(positive[rows].sum(axis=0), negative[rows].sum(axis=0)) for rows in draws]
    finite = [area for area in areas if np.isfinite(area)] or [float("nan")]
    low, high = np.quantile(finite, [0.025, 0.975])
    return Interval(_area(positive.sum(axis=0), negative.sum(axis=0)), float(low), float(high))


def det_curve(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return false alarms and misses of single windows for thresholds from 1 to 255.

    Parameters
    ----------
    positive, negative : ndarray of int64, shape (256,)
    """
    misses = np.cumsum(positive)[:-1] / max(1, int(positive.sum()))
    alarms = 1 - np.cumsum(negative)[:-1] / max(1, int(negative.sum()))
    return {"false_alarm": np.round(alarms, 5).tolist(), "miss": np.round(misses, 5).tolist()}


def _area(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> float:
    below = np.cumsum(negative) - negative
    pairs = float(positive.sum()) * float(negative.sum())
    return float((positive * (below + negative / 2)).sum() / pairs) if pairs else float("nan")
