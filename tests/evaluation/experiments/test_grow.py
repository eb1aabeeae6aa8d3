"""What one false accept in a thousand costs, in evaluation/experiments/grow.py."""

import importlib
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def grow() -> ModuleType:
    return importlib.import_module("evaluation.experiments.grow")


def test_each_half_is_judged_at_the_threshold_of_the_other(grow: ModuleType) -> None:
    true, wrong = np.array([1.5, 4.0, 1.5, 4.0]), np.array([0.0, 1.0, 2.0, 3.0])
    found = grow.strict(true, np.array([0, 0, 1, 1]), wrong, np.array([0, 0, 1, 1]))
    assert found["log_odds"] == [3.0, 1.0]
    assert found["accepted"] == 0.75  # 4.0 above 3, and both of the second half above 1
    assert found["unknown_accepted"]["count"] == 2  # 2.0 and 3.0, which their own half would have refused


def test_a_wrong_answer_is_no_true_accept(grow: ModuleType) -> None:
    true, halves = np.array([-np.inf, 9.0]), np.array([0, 1])
    found = grow.strict(true, halves, np.zeros(2), halves)
    assert found["accepted"] == 0.5


def test_false_accepts_are_counted_by_the_kind_of_song_they_name(grow: ModuleType) -> None:
    songs = np.array([0, 9, 10, 19, 20, 500])
    assert grow.named(songs, (10, 20)) == {"real": 2, "rendered": 2, "distractor": 2}
