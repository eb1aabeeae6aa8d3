"""Estimates with honest intervals: proportions, rates of rare events, ROC areas, and bootstrap over recordings.

Queries cut from one recording are not independent, so whole recordings are resampled (the cluster bootstrap).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nowplaying_core.errors import ConfigError

__all__ = [
    "Interval",
    "area_under_roc",
    "bootstrap_area",
    "bootstrap_means",
    "clopper_pearson",
    "cluster_bootstrap",
    "draw_run_errors",
    "middle_95",
    "paired_difference",
    "poisson_rate",
    "poisson_upper",
    "rate_by_track",
    "student",
    "wilson",
]

N_DRAWS = 2000
_N_AREAS = 300  # areas take longer than means


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

    @property
    def bounds(self) -> list[float]:
        """The two ends, as JSON keeps them."""
        return [self.low, self.high]

    def to_dict(self, digits: int = 4) -> dict[str, float | None]:
        """Return rounded plain values; None for what could not be measured, since JSON has no NaN."""
        values = {name: float(getattr(self, name)) for name in ("value", "low", "high")}
        return {name: round(value, digits) if math.isfinite(value) else None for name, value in values.items()}


def wilson(n_events: int, n_trials: int) -> Interval:
    """Return a proportion with its Wilson interval (Wilson 1927); NaN in (0, 1) where there are no trials."""
    if n_trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    return _proportion(n_events, n_trials, "wilson")


def clopper_pearson(n_events: int, n_trials: int) -> Interval:
    """Return a proportion with its exact interval (Clopper and Pearson 1934)."""
    return _proportion(n_events, n_trials, "exact")


def student(values: Sequence[float] | NDArray[np.floating]) -> Interval:
    """Return the mean of independent values with Student's t interval; NaN at both ends of a single one."""
    found = np.asarray(values, np.float64)
    if found.size < 2:
        return Interval(float(found.mean()), float("nan"), float("nan"))
    half = float(stats.t.ppf(0.975, found.size - 1) * found.std(ddof=1) / math.sqrt(found.size))
    return Interval(float(found.mean()), float(found.mean()) - half, float(found.mean()) + half)


def _proportion(n_events: int, n_trials: int, method: Literal["exact", "wilson"]) -> Interval:
    if not 0 <= n_events <= n_trials:
        message = f"expected 0 <= events <= trials, found {n_events} of {n_trials}"
        raise ConfigError(message)
    bounds = stats.binomtest(n_events, n_trials).proportion_ci(method=method)
    return Interval(n_events / n_trials, float(bounds.low), float(bounds.high))


def poisson_rate(n_events: int, exposure: float) -> Interval:
    """Return events per unit of exposure with the exact Poisson interval (Garwood, Biometrika 28, 1936)."""
    low = stats.chi2.ppf(0.025, 2 * n_events) / 2 if n_events else 0.0
    high = stats.chi2.ppf(0.975, 2 * n_events + 2) / 2
    return Interval(n_events / exposure, float(low) / exposure, float(high) / exposure)


def poisson_upper(n_events: int, exposure: float) -> float:
    """Return the one-sided 95 % upper bound of a rate: events per unit of exposure (hours, queries)."""
    if exposure <= 0:
        message = f"expected an exposure above 0, found {exposure}"
        raise ConfigError(message)
    return float(stats.chi2.ppf(0.95, 2 * (n_events + 1)) / 2 / exposure)


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
    return float(
        stats.mannwhitneyu(scores[labels], scores[~labels], method="asymptotic").statistic / (n_positive * n_negative)
    )


def bootstrap_area(
    scores: NDArray[np.floating],
    labels: NDArray[np.bool_],
    groups: NDArray[np.int64],
    rng: np.random.Generator,
) -> Interval:
    """Return the ROC area with an interval by bootstrap over recordings, since excerpts of one are not independent.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    labels : ndarray of bool, shape (n,)
    groups : ndarray of int64, shape (n,)
        Recording that each excerpt comes from.
    rng : numpy.random.Generator
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    positive = [rows for rows in members if labels[rows[0]]]
    negative = [rows for rows in members if not labels[rows[0]]]
    areas = []
    for _ in range(_N_AREAS):
        # Classes are resampled apart, so that none is ever empty.
        chosen = [
            side[int(index)] for side in (positive, negative) for index in rng.integers(len(side), size=len(side))
        ]
        rows = np.concatenate(chosen)
        areas.append(area_under_roc(scores[rows], labels[rows]))
    low, high = np.quantile(areas, [0.025, 0.975])
    return Interval(area_under_roc(scores, labels), float(low), float(high))


def cluster_bootstrap(values: NDArray[np.floating], tracks: Sequence[object], rng: np.random.Generator) -> Interval:
    """Return a mean with its 95 % interval, drawing whole tracks with replacement.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a query, such as 1 for right and 0 for wrong.
    tracks : sequence, length n
        Track that each query was cut from.
    rng : numpy.random.Generator
    """
    low, high = np.percentile(_means_by_track(values, tracks, rng), [2.5, 97.5])
    return Interval(float(np.mean(values)), float(low), float(high))


def rate_by_track(values: NDArray[np.bool_], tracks: Sequence[object], rng: np.random.Generator) -> dict[str, Any]:
    """Return a proportion of queries as ``n``, ``count``, ``rate``, and its ``wilson`` and ``bootstrap`` bounds."""
    n, count = int(values.size), int(values.sum())
    binomial, clustered = wilson(count, n), cluster_bootstrap(values.astype(np.float64), tracks, rng)
    return {
        "n": n,
        "count": count,
        "rate": count / n,
        "wilson": binomial.bounds,
        "bootstrap": clustered.bounds,
    }


def paired_difference(
    first: NDArray[np.floating], second: NDArray[np.floating], tracks: Sequence[object], rng: np.random.Generator
) -> dict[str, float]:
    """Compare two systems on the same queries.

    Returns
    -------
    dict
        ``difference`` (mean of first - second), ``low`` and ``high`` of its 95 % bootstrap interval over tracks,
        ``one_sided_low`` (95 %), and how many queries only one of them had right.
    """
    if first.shape != second.shape or first.size != len(tracks):
        message = f"paired values: expected equal lengths, found {first.shape}, {second.shape}, {len(tracks)} tracks"
        raise ConfigError(message)
    difference = first.astype(np.float64) - second.astype(np.float64)
    low, one_sided, high = np.percentile(_means_by_track(difference, tracks, rng), [2.5, 5.0, 97.5])
    return {
        "difference": float(difference.mean()),
        "low": float(low),
        "high": float(high),
        "one_sided_low": float(one_sided),
        "only_first": int((difference > 0).sum()),
        "only_second": int((difference < 0).sum()),
    }


def _means_by_track(
    values: NDArray[np.floating], tracks: Sequence[object], rng: np.random.Generator
) -> NDArray[np.float64]:
    if values.size == 0:
        message = "expected at least one query, found none"
        raise ConfigError(message)
    numbers: dict[object, int] = {}
    index = np.array([numbers.setdefault(track, len(numbers)) for track in tracks])
    sums = np.bincount(index, weights=values.astype(np.float64))
    counts = np.bincount(index).astype(np.float64)
    chosen = rng.integers(0, sums.size, (N_DRAWS, sums.size))
    means: NDArray[np.float64] = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return means


def bootstrap_means(values: NDArray[Any], units: Sequence[str], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw means as they might have been with other test recordings.

    Parameters
    ----------
    values : ndarray of bool or float, shape (n_examples,)
        Whether each answer was right, or each value.
    units : sequence of str, length n_examples
        Examples of one unit are drawn together.
    rng : numpy.random.Generator
        Draws of two methods with the same generator state are paired, unit by unit.

    Returns
    -------
    ndarray of float64, shape (2000,)
    """
    _, codes = np.unique(np.asarray(units), return_inverse=True)
    sizes, sums = np.bincount(codes), np.bincount(codes, weights=values)
    means = np.empty(N_DRAWS)
    for draw in range(N_DRAWS):
        chosen = rng.integers(sizes.size, size=sizes.size)
        means[draw] = sums[chosen].sum() / sizes[chosen].sum()
    return means


def draw_run_errors(
    runs: NDArray[np.floating], rng: np.random.Generator, alike: Sequence[NDArray[np.floating]] = ()
) -> NDArray[np.float64]:
    """Draw how far a mean over training runs may lie from that over very many of them, by Student's t.

    Resampling two or three runs never leaves the range that they span, and covers the truth 51 or 75 times in 100.

    Parameters
    ----------
    runs : ndarray of float, shape (n_runs,)
        A figure of each run.
    rng : numpy.random.Generator
    alike : sequence of ndarray
        The runs of all methods that are taken to vary alike, these among them: their deviation is estimated together.
        By default that of these runs alone.

    Returns
    -------
    ndarray of float64, shape (2000,)
        Zeros for a single run, which does not tell how runs vary.
    """
    groups = [np.asarray(one, np.float64) for one in alike or [runs]]
    n_free = sum(one.size - 1 for one in groups)
    if len(runs) < 2:
        return np.zeros(N_DRAWS)
    variance = sum(float(((one - one.mean()) ** 2).sum()) for one in groups) / n_free
    # In even steps of probability and shuffled, so that their tails are no matter of luck.
    errors = stats.t.ppf((np.arange(N_DRAWS) + 0.5) / N_DRAWS, n_free)
    shuffled: NDArray[np.float64] = math.sqrt(variance / len(runs)) * rng.permutation(errors)
    return shuffled


def middle_95(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of drawn values."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
