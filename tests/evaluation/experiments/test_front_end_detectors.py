from pathlib import Path

import numpy as np
import pytest

from detector.band_levels import BandLevels
from detector.features import features_of
from evaluation.experiments.front_end_detectors import features, main
from evaluation.experiments.front_ends import SETTINGS
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from tests.detector.sounds import corpus_folder, noise, pcm
from tests.synthesis import song


def test_features_are_those_of_each_sound_alone() -> None:
    sounds = [pcm(song(1, 5.0)), pcm(noise(1, 5.0))]
    levels = np.stack([BandLevels().process(sound) for sound in sounds])
    for settings in SETTINGS.values():
        found = features(levels, settings)
        for number, sound in enumerate(sounds):
            assert np.array_equal(found[number], features_of(sound, settings))


@pytest.mark.slow
def test_from_recordings_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = corpus_folder(tmp_path / "corpus")
    paths = ["--corpus", str(root), "--cache-dir", str(tmp_path / "pcm"), "--out", str(tmp_path / "out")]
    assert main([*paths, "--scenes", "6", "--clips", "4", "--learner", "trees", "--seeds", "1", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(SETTINGS)
    trees = [*paths, "--scenes", "6", "--clips", "4", "--learner", "trees", "--beside", SHIPPED_DETECTOR]
    assert main(trees) == 0
    names = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]]
    assert names == ["second stage alone", *(f"with {name}" for name in SETTINGS)]
    sizes = ["--scenes", "6", "--clips", "4", "--steps", "2"]
    command = [*paths, *sizes, "--only", "shipped", "--only", "logarithm alone"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["shipped", "logarithm alone"]
    made = sorted(path.name for path in (tmp_path / "out/levels").iterdir())
    assert made == ["clips-000000-000008.json", "clips-000000-000008.npz", "scenes-000000-000006.npz"]
    before = (tmp_path / "out/network/shipped-1/scores.npz").stat().st_mtime_ns
    assert main(command) == 0, "what is finished is kept"
    assert (tmp_path / "out/network/shipped-1/scores.npz").stat().st_mtime_ns == before
    assert capsys.readouterr().out.splitlines() == lines
