from pathlib import Path

import numpy as np
import pytest

from detector.band_levels import BandLevels
from detector.features import features_of
from evaluation.experiments.front_end_detectors import Clips, _area, compare, features, main, to_markdown
from evaluation.experiments.front_ends import SETTINGS
from nowplaying_core.statistics import area_under_roc
from tests.detector.sounds import corpus_folder, noise, pcm
from tests.synthesis import song

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


def test_features_are_those_of_each_sound_alone() -> None:
    sounds = [pcm(song(1, 5.0)), pcm(noise(1, 5.0))]
    levels = np.stack([BandLevels().process(sound) for sound in sounds])
    for settings in SETTINGS.values():
        found = features(levels, settings)
        for number, sound in enumerate(sounds):
            assert np.array_equal(found[number], features_of(sound, settings))


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


@pytest.mark.slow
def test_from_recordings_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = corpus_folder(tmp_path / "corpus")
    paths = ["--corpus", str(root), "--cache-dir", str(tmp_path / "pcm"), "--out", str(tmp_path / "out")]
    sizes = ["--scenes", "6", "--clips", "4", "--steps", "2"]
    command = [*paths, *sizes, "--only", "shipped", "--only", "logarithm alone"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["shipped", "logarithm alone"]
    made = sorted(path.name for path in (tmp_path / "out/levels").iterdir())
    assert made == ["clips-000000-000008.json", "clips-000000-000008.npz", "scenes-000000-000006.npz"]
    before = (tmp_path / "out/runs/shipped-1/scores.npz").stat().st_mtime_ns
    assert main(command) == 0, "what is finished is kept"
    assert (tmp_path / "out/runs/shipped-1/scores.npz").stat().st_mtime_ns == before
    assert capsys.readouterr().out.splitlines() == lines
