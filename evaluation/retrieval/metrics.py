"""Rates with honest intervals: binomial, Poisson, and bootstrap over tracks, because one song's queries go together."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError

__all__ = [
    "bootstrap_interval",
    "clopper_pearson",
    "paired_difference",
    "poisson_upper",
    "rate_by_track",
    "wilson",
]


def wilson(n_right: int, n: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion (Wilson 1927); (0, 1) when there are no trials."""
    if n == 0:
        return 0.0, 1.0
    share = n_right / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def clopper_pearson(n_events: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of a proportion (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    if not 0 <= n_events <= n:
        message = f"expected 0 <= events <= trials, found {n_events} of {n}"
        raise ConfigError(message)
    tail = (1 - level) / 2
    low = 0.0 if n_events == 0 else float(beta.ppf(tail, n_events, n - n_events + 1))
    high = 1.0 if n_events == n else float(beta.ppf(1 - tail, n_events + 1, n - n_events))
    return low, high


def poisson_upper(n_events: int, exposure: float, *, level: float = 0.95) -> float:
    """Return the one-sided upper bound of a rate: events per unit of exposure (hours, queries)."""
    from scipy.stats import chi2

    if exposure <= 0:
        message = f"expected an exposure above 0, found {exposure}"
        raise ConfigError(message)
    return float(chi2.ppf(level, 2 * (n_events + 1)) / 2 / exposure)


def bootstrap_interval(
    values: NDArray[np.floating], tracks: Sequence[object], rng: np.random.Generator, *, n_draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % interval of a mean, drawing whole tracks with replacement.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a query, such as 1 for right and 0 for wrong.
    tracks : sequence, length n
        Which track each query was cut from.
    rng : numpy.random.Generator
    n_draws : int >= 1
    """
    sums, counts = _by_track(values, tracks)
    chosen = rng.integers(0, sums.size, (n_draws, sums.size))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def rate_by_track(values: NDArray[np.bool_], tracks: Sequence[object], rng: np.random.Generator) -> dict[str, Any]:
    """Return a proportion of queries as ``n``, ``count``, ``rate``, and its ``wilson`` and ``bootstrap`` intervals."""
    n, count = int(values.size), int(values.sum())
    return {
        "n": n,
        "count": count,
        "rate": count / n,
        "wilson": list(wilson(count, n)),
        "bootstrap": list(bootstrap_interval(values.astype(np.float64), tracks, rng)),
    }


def paired_difference(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    tracks: Sequence[object],
    rng: np.random.Generator,
    *,
    n_draws: int = 2000,
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
    sums, counts = _by_track(difference, tracks)
    chosen = rng.integers(0, sums.size, (n_draws, sums.size))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    low, one_sided, high = np.percentile(means, [2.5, 5.0, 97.5])
    return {
        "difference": float(difference.mean()),
        "low": float(low),
        "high": float(high),
        "one_sided_low": float(one_sided),
        "only_first": int((difference > 0).sum()),
        "only_second": int((difference < 0).sum()),
    }


def _by_track(
    values: NDArray[np.floating], tracks: Sequence[object]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if values.size == 0:
        message = "expected at least one query, found none"
        raise ConfigError(message)
    numbers: dict[object, int] = {}
    index = np.array([numbers.setdefault(track, len(numbers)) for track in tracks])
    sums = np.bincount(index, weights=values.astype(np.float64))
    return np.asarray(sums, np.float64), np.bincount(index).astype(np.float64)
