import numpy as np
import pytest

from detector.training import instruments
from detector.training.instruments import synthetic_music, transformed_music
from detector.training.synthetic import synthetic_sound
from evaluation.detector.onsets import onset_class, onset_strength_db
from nowplaying_core.audio.mixing import band_rms
from tests.synthesis import song

LENGTH = 12 * 16_000
TIME_S = np.arange(LENGTH) / 16_000


def test_synthetic_music_is_repeatable_audible_and_as_long_as_asked_for() -> None:
    for seed in range(6):
        synthetic = synthetic_music(LENGTH, np.random.default_rng(seed))
        assert synthetic.dtype == np.float32
        assert synthetic.shape == (LENGTH,)
        assert np.isfinite(synthetic).all()
        assert band_rms(synthetic) > 0
        assert np.array_equal(synthetic, synthetic_music(LENGTH, np.random.default_rng(seed)))


def test_drones_last_and_drums_strike() -> None:
    for seed in range(3):
        drone = instruments.drone(TIME_S, np.random.default_rng(seed)).astype(np.float32)
        drums = instruments._drums(TIME_S, np.random.default_rng(seed)).astype(np.float32)
        assert onset_class(drone) == "sustained"
        assert onset_class(drums) == "rhythmic"
        assert onset_strength_db(drums) > 2 * onset_strength_db(drone)


def test_voices_hold_their_pitch_where_speech_glides() -> None:
    sung = instruments._voices(TIME_S, np.random.default_rng(2))
    # A held note is a line in the spectrum: its neighbours are far below.
    spectrum = np.abs(np.fft.rfft(sung[: 16_000 * 4] * np.hanning(16_000 * 4)))
    assert spectrum.max() > 20 * np.median(spectrum)


@pytest.mark.parametrize("kind", ["_wash", "_distant_bass", "_percussion_or_harmony"])
def test_transformed_music_is_of_the_same_length_and_another_sound(kind: str) -> None:
    music = song(3, 12.0)
    transformed = getattr(instruments, kind)(music, np.random.default_rng(1))
    assert transformed.shape == music.shape
    assert transformed.dtype == np.float32
    assert np.isfinite(transformed).all()
    assert not np.allclose(transformed, music, atol=1e-3)


def test_a_wash_loses_beginnings_and_a_wall_loses_treble() -> None:
    music = song(3, 12.0)
    assert onset_strength_db(instruments._wash(music, np.random.default_rng(1))) < onset_strength_db(music)
    bass = instruments._distant_bass(music, np.random.default_rng(1))
    assert band_rms(bass, 2_000, 7_000) / band_rms(bass) < 0.5 * band_rms(music, 2_000, 7_000) / band_rms(music)


def test_all_kinds_are_drawn() -> None:
    music = song(3, 6.0)
    assert len({transformed_music(music, np.random.default_rng(seed)).tobytes() for seed in range(8)}) >= 4


def test_synthetic_sounds_stay_finite_with_applause_among_them() -> None:
    for seed in range(40):
        sound = synthetic_sound(4 * 16_000, np.random.default_rng(seed))
        assert np.isfinite(sound).all()
