from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from export.parity.sounds import load_sounds, mixed
from nowplaying_core.audio.mixing import band_rms
from nowplaying_core.errors import AudioFormatError

RATE_HZ = 16_000


def tone(seconds: float, hz: float = 440.0) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(snr_db=st.floats(-5, 30), seconds=st.floats(0.5, 20))
def test_music_stands_above_the_noise_by_as_much_as_asked(snr_db: float, seconds: float) -> None:
    music, noise = tone(8.0), np.random.default_rng(1).normal(0, 0.05, round(seconds * RATE_HZ)).astype(np.float32)
    both = mixed(music, noise, snr_db)
    assert both.size == music.size
    assert np.abs(both).max() <= 1.0
    gain = float(both @ music) / float(music @ music)
    behind = both / gain - music
    assert 20 * np.log10(band_rms(music) / band_rms(behind)) == pytest.approx(snr_db, abs=0.7)


def test_few_of_many_are_spread_and_long_ones_give_their_middle(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        sound = np.concatenate([np.zeros(10 * RATE_HZ, np.float32), tone(40.0), np.zeros(10 * RATE_HZ, np.float32)])
        paths.append(tmp_path / f"{number}.wav")
        soundfile.write(paths[-1], sound if number else tone(2.0), RATE_HZ)
    sounds = load_sounds(paths, paths[1:2], max_items=3)
    assert sounds.paths == (paths[2], paths[4]), "the first of the three is too short"
    assert all(part.size == 40 * RATE_HZ and part.std() > 0.05 for part in sounds.music)
    with pytest.raises(AudioFormatError, match="found 0 and 1"):
        load_sounds(paths[:1], paths[1:2], max_items=3)
