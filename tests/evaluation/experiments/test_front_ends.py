from pathlib import Path

import numpy as np
import pytest

from detector.band_levels import BandLevels
from detector.features import FeatureStream
from evaluation.experiments.front_ends import KINDS, SETTINGS, draw, fading, main
from tests.detector.sounds import noise, pcm


def steady_chord() -> np.ndarray:
    time_s = np.arange(26 * 16_000) / 16_000
    chord = sum(np.sin(2 * np.pi * 220 * number * time_s) for number in range(1, 25)) * (time_s > 5)
    return BandLevels().process(pcm(0.02 * chord + noise(1, 26.0, level=0.0005)))[None]


def test_a_steady_chord_fades_by_the_shipped_settings_and_by_no_others_as_much() -> None:
    found = {name: fading(steady_chord(), settings) for name, settings in SETTINGS.items()}
    assert found["shipped"]["level_db"][0] == 0
    assert found["shipped"]["level_db"][10] < -20
    assert abs(found["logarithm alone"]["level_db"][10]) < 1
    assert -12 < found["no subtraction"]["level_db"][10] < -2
    assert found["slower"]["level_db"][1] > found["shipped"]["level_db"][1]
    assert found["shipped"]["zero_share"][10] > 0.5 > 0.1 > found["no subtraction"]["zero_share"][10]


def test_full_scales_are_what_full_scale_sounds_give() -> None:
    time = np.arange(32_000)
    sounds = [np.where(time // 18 % 2, 32_767, -32_767), np.rint(32_767 * np.sin(2 * np.pi * 1_000 * time / 16_000))]
    for name, settings in SETTINGS.items():
        loudest = max(int(FeatureStream(settings).process(sound.astype(np.int16)).max()) for sound in sounds)
        assert abs(loudest - settings.full_scale) <= 20, name


def test_table_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sounds", "1", "--picture", str(tmp_path / "fading.svg")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(KINDS)
    assert all(name in lines[0] for name in SETTINGS)
    assert (tmp_path / "fading.svg").stat().st_size > 10_000


def test_a_picture_has_a_panel_for_every_setting() -> None:
    measured = {name: {"a": fading(steady_chord(), settings)} for name, settings in list(SETTINGS.items())[:2]}
    assert [axes.get_title() for axes in draw(measured).axes] == ["shipped", "slower"]


def test_recordings_want_a_folder_for_decoded_sound(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--corpus", str(tmp_path)])
