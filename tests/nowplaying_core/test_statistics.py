import numpy as np
import pytest
from scipy import stats

from nowplaying_core.statistics import area_under_roc, bootstrap_area, poisson_rate, share


def test_area_by_counting_pairs(rng: np.random.Generator) -> None:
    scores = rng.integers(0, 6, 80).astype(float)
    labels = rng.random(80) < 0.4
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels] for n in scores[~labels]]
    assert area_under_roc(scores, labels) == pytest.approx(np.mean(pairs))


def test_area_limits() -> None:
    labels = np.array([True, True, False, False])
    assert area_under_roc(np.array([3.0, 2, 1, 0]), labels) == 1.0
    assert area_under_roc(np.array([0.0, 0, 0, 0]), labels) == 0.5
    assert np.isnan(area_under_roc(np.array([1.0, 2]), np.array([True, True])))


def test_bootstrap_over_recordings_is_wider_than_over_excerpts(rng: np.random.Generator) -> None:
    labels = np.repeat([True, False], 200)
    own = np.repeat(rng.normal(0, 1, 40), 10)
    scores = own + 0.3 * rng.normal(0, 1, 400) + labels
    by_recording = bootstrap_area(scores, labels, np.repeat(np.arange(40), 10), np.random.default_rng(1))
    by_excerpt = bootstrap_area(scores, labels, np.arange(400), np.random.default_rng(1))
    assert by_recording.low < by_recording.value < by_recording.high
    assert by_recording.high - by_recording.low > by_excerpt.high - by_excerpt.low


def test_poisson_bounds_are_the_exact_ones() -> None:
    rate = poisson_rate(3, 2.0)
    assert rate.value == 1.5
    assert stats.poisson.sf(2, 2 * rate.low) == pytest.approx(0.025)
    assert stats.poisson.cdf(3, 2 * rate.high) == pytest.approx(0.025)
    none = poisson_rate(0, 10.0)
    assert none.low == 0
    assert none.high == pytest.approx(0.3689, rel=1e-3)


def test_share_bounds() -> None:
    interval = share(45, 50)
    assert interval.low < 0.9 < interval.high
    assert np.isnan(share(0, 0).value)
