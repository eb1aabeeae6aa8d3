"""A score is a probability: what the measures say of scores that are, and that are not."""

import numpy as np
import pytest

from evaluation.retrieval.reliability import reliability, reliability_table
from nowplaying_core.errors import ConfigError


def test_scores_that_are_probabilities_have_no_calibration_error(rng: np.random.Generator) -> None:
    score = rng.random(400_000)
    is_right = rng.random(score.size) < score
    # Wrong answers to known music and answers to unknown music are alike here: as many of each side.
    measured = reliability(score[is_right], np.ones(is_right.sum(), bool), score[~is_right])
    assert measured["expected_calibration_error"] < 0.01
    assert measured["brier"] == pytest.approx(1 / 6, abs=0.005)
    assert [one["right"] for one in measured["bins"]] == pytest.approx(np.arange(0.05, 1, 0.1), abs=0.01)
    overconfident = reliability(np.sqrt(score[is_right]), np.ones(is_right.sum(), bool), np.sqrt(score[~is_right]))
    assert overconfident["expected_calibration_error"] == pytest.approx(2 / 3 - 1 / 2, abs=0.01)
    assert overconfident["brier"] > measured["brier"]


def test_both_sides_weigh_the_same_however_many_they_are() -> None:
    known, correct = np.array([0.95, 0.95, 0.95, 0.95]), np.array([True, True, True, False])
    for n_unknown in (1, 50):
        measured = reliability(known, correct, np.full(n_unknown, 0.05))
        first, last = measured["bins"][0], measured["bins"][-1]
        assert (first["share"], last["share"]) == pytest.approx((0.5, 0.5))
        assert (first["right"], last["right"]) == pytest.approx((0.0, 0.75))
        assert measured["expected_calibration_error"] == pytest.approx(0.5 * 0.05 + 0.5 * 0.2)
        brier = 0.5 * 0.05**2 + 0.5 * (3 * 0.05**2 + 0.95**2) / 4
        assert measured["brier"] == pytest.approx(brier)
    assert measured["bins"][4] == {
        "low": 0.4, "high": 0.5, "n": 0, "share": 0.0, "mean_score": None, "right": None,
    }  # fmt: skip


def test_a_score_of_one_is_in_the_last_bin_and_the_table_has_all() -> None:
    table = reliability_table(reliability(np.array([1.0]), np.array([True]), np.array([0.0])))
    assert len(table.splitlines()) == 12
    assert "| 0.9 to 1.0 | 1 | 50.0 | 100.0 | 100.0 |" in table


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(ConfigError, match="both sides"):
        reliability(np.array([0.5]), np.array([True]), np.zeros(0))
