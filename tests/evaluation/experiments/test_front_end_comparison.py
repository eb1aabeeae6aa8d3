import numpy as np
import pytest

from evaluation.experiments.front_end_comparison import Clips, _area, beside, compare, to_markdown
from nowplaying_core.statistics import area_under_roc

N = 240


def made_clips() -> Clips:
    music = [
        {
            "is_music": True,
            "kind": "noise",
            "onset_class": "sustained" if number % 4 else "rhythmic",
            "file": f"m{number % 30}",
        }
        for number in range(N)
    ]
    other = [
        {"is_music": False, "kind": "noise" if number % 2 else "speech", "onset_class": None, "file": f"o{number % 40}"}
        for number in range(N)
    ]
    return Clips([*music, *other])


def made_scores(clips: Clips, better: float) -> np.ndarray:
    """Two seeds; sustained music scores higher by ``better``."""
    noises = np.random.default_rng(2).normal(0, 0.1, (2, 2 * N))
    return 0.4 + 0.1 * clips.is_music + better * (clips.kinds == "sustained") + noises


def test_areas_of_weighted_clips_are_those_of_repeated_clips() -> None:
    rng = np.random.default_rng(1)
    scores = np.round(rng.random(60), 1)
    labels = rng.random(60) < 0.5
    ones = np.ones(60)
    assert _area(scores, ones, labels, ~labels) == pytest.approx(area_under_roc(scores, labels))
    weights = rng.integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weights)
    expected = area_under_roc(scores[repeated], labels[repeated])
    assert _area(scores, weights.astype(float), labels, ~labels) == pytest.approx(expected)


def test_a_better_setting_shows_where_it_is_better_and_no_other_does() -> None:
    clips = made_clips()
    scores = {"shipped": made_scores(clips, 0.0), "no gain": made_scores(clips, 0.1), "slower": made_scores(clips, 0.0)}
    shipped, better, same = compare(clips, scores, np.random.default_rng(0))
    assert shipped["differences"] == {}
    difference, low, high = better["differences"]["area of sustained"]
    assert 0 < low < difference < high
    assert better["differences"]["area of rhythmic"] == (0, 0, 0)
    assert same["differences"]["recall of sustained"] == (0, 0, 0)
    assert better["values"]["recall of sustained"] > shipped["values"]["recall of sustained"] + 0.1
    text = to_markdown([shipped, better])
    assert f"(+{difference:.3f}; +{low:.3f} to +{high:.3f})" in text


def test_recall_is_counted_where_one_in_twenty_other_sounds_is_above() -> None:
    clips = made_clips()
    scores = np.where(clips.is_music, 0.6, np.linspace(0, 1, 2 * N))[None]
    scores[0, N:] = np.linspace(0, 1, N)
    (row,) = compare(clips, {"shipped": scores}, np.random.default_rng(0))
    assert row["values"]["recall of all"] == 0
    scores[0, :N] = 0.96
    (row,) = compare(clips, {"shipped": scores}, np.random.default_rng(0))
    assert row["values"]["recall of all"] == 1


def test_beside_a_network_a_judge_counts_by_its_log_odds() -> None:
    outputs = np.array([0, 127, 255])
    found = beside(outputs, {"shipped": np.array([[0.5, 0.5, 0.5], [0.9, 0.1, 0.9]])})
    assert list(found) == ["second stage alone", "with shipped"]
    alone, together = found.values()
    assert alone[0, 1] == pytest.approx(np.log(127.5 / 128.5))
    assert np.array_equal(together[0], alone[0]), "a judge that knows nothing"
    assert together[1] - alone[0] == pytest.approx(np.log([9, 1 / 9, 9]))
