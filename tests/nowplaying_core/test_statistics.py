import math

import numpy as np
import pytest
from scipy import stats

from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import (
    area_under_roc,
    bootstrap_area,
    clopper_pearson,
    cluster_bootstrap,
    paired_difference,
    poisson_rate,
    poisson_upper,
    student,
    wilson,
)


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
    interval = wilson(45, 50)
    assert interval.low < 0.9 < interval.high
    assert np.isnan(wilson(0, 0).value)


def test_wilson_and_clopper_pearson_agree_with_the_literature() -> None:
    assert wilson(0, 10).bounds == pytest.approx([0.0, 0.2775], abs=1e-4)
    assert wilson(81, 263).bounds == pytest.approx([0.2553, 0.3662], abs=1e-4)  # Newcombe 1998, table I
    assert clopper_pearson(81, 263).bounds == pytest.approx([0.2527, 0.3676], abs=1e-4)
    assert clopper_pearson(0, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert clopper_pearson(5, 5).bounds == [pytest.approx(0.4782, abs=1e-4), 1.0]


def test_no_event_in_a_thousand_is_under_three() -> None:
    assert poisson_upper(0, 1000.0) == pytest.approx(2.996e-3, rel=1e-3)
    with pytest.raises(ConfigError):
        poisson_upper(0, 0.0)


def test_bootstrap_knows_that_queries_go_together(rng: np.random.Generator) -> None:
    """Twenty tracks of fifty equal answers tell as much as twenty queries, not as a thousand."""
    tracks = np.repeat(np.arange(20), 50)
    values = (tracks % 2).astype(float)
    low, high = cluster_bootstrap(values, tracks.tolist(), rng).bounds
    assert low < 0.35 < 0.65 < high
    single_low, single_high = cluster_bootstrap(values, list(range(1000)), rng).bounds
    assert single_high - single_low < 0.08


def test_paired_difference_is_narrower_than_each_alone(rng: np.random.Generator) -> None:
    truth = rng.random(2000) < 0.8
    better = truth | (rng.random(2000) < 0.05)
    result = paired_difference(better, truth, list(range(2000)), rng)
    assert result["only_second"] == 0
    assert result["difference"] == pytest.approx(np.mean(better) - np.mean(truth))
    assert 0 < result["low"] <= result["one_sided_low"] < result["difference"] < result["high"] < 0.03


def test_students_interval_is_the_textbooks_and_of_one_value_there_is_none() -> None:
    found = student([1.0, 2.0, 3.0])
    assert found.value == 2.0
    assert found.high - 2.0 == pytest.approx(2.0 - found.low) == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)
    alone = student([5.0])
    assert alone.value == 5.0
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)
