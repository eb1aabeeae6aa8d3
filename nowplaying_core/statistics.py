"""Figures of merit with their uncertainty: ROC area, rates of rare events, shares of trials."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Interval", "area_under_roc", "bootstrap_area", "poisson_rate", "share"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its two-sided 95 % interval.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float

    def to_dict(self, digits: int = 4) -> dict[str, float | None]:
        """Return rounded plain values; None for what nothing was there to measure, since JSON has no NaN."""
        values = {name: float(getattr(self, name)) for name in ("value", "low", "high")}
        return {name: round(value, digits) if math.isfinite(value) else None for name, value in values.items()}


def area_under_roc(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Return the chance that a random positive scores above a random negative, ties counted half.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    labels : ndarray of bool, shape (n,)
    """
    n_positive = int(np.count_nonzero(labels))
    n_negative = labels.size - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    ranks = stats.rankdata(scores)
    return float((ranks[labels].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def bootstrap_area(
    scores: NDArray[np.floating],
    labels: NDArray[np.bool_],
    groups: NDArray[np.int64],
    rng: np.random.Generator,
    n_resamples: int = 300,
) -> Interval:
    """Return the ROC area with an interval by bootstrap over recordings, since excerpts of one are not independent.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    labels : ndarray of bool, shape (n,)
    groups : ndarray of int64, shape (n,)
        Which recording each excerpt comes from.
    rng : numpy.random.Generator
    n_resamples : int
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    positive = [rows for rows in members if labels[rows[0]]]
    negative = [rows for rows in members if not labels[rows[0]]]
    areas = []
    for _ in range(n_resamples):
        # Classes are resampled apart, so that none is ever empty.
        chosen = [
            side[int(index)] for side in (positive, negative) for index in rng.integers(len(side), size=len(side))
        ]
        rows = np.concatenate(chosen)
        areas.append(area_under_roc(scores[rows], labels[rows]))
    low, high = np.quantile(areas, [0.025, 0.975])
    return Interval(area_under_roc(scores, labels), float(low), float(high))


def poisson_rate(n_events: int, exposure: float) -> Interval:
    """Return events per unit of exposure with the exact Poisson interval (Garwood, Biometrika 28, 1936)."""
    low = stats.chi2.ppf(0.025, 2 * n_events) / 2 if n_events else 0.0
    high = stats.chi2.ppf(0.975, 2 * n_events + 2) / 2
    return Interval(n_events / exposure, float(low) / exposure, float(high) / exposure)


def share(n_hits: int, n_trials: int) -> Interval:
    """Return a share of trials with its Wilson interval."""
    if n_trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    result = stats.binomtest(n_hits, n_trials).proportion_ci(method="wilson")
    return Interval(n_hits / n_trials, float(result.low), float(result.high))
