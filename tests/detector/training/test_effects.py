import numpy as np
import pytest

from detector.training.effects import band_limit, excerpt, in_room, recoloured, set_level, stretched, through_codec
from detector.training.synthetic import synthetic_sound
from nowplaying_core.audio.mixing import band_rms
from nowplaying_core.audio.rooms import decaying_response
from tests.detector.sounds import noise

RATE_HZ = 16_000


def tone(frequency_hz: float, duration_s: float = 2.048, level: float = 0.5) -> np.ndarray:
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


@pytest.mark.parametrize("n_samples", [10, 5_000, 31_999, 32_000, 40_000])
def test_excerpt_has_the_length_asked_for(rng: np.random.Generator, n_samples: int) -> None:
    assert excerpt(noise(2, 3.0)[:n_samples], 32_000, rng).shape == (32_000,)
    assert not excerpt(np.zeros(0, dtype=np.float32), 100, rng).any()


def test_loops_have_no_click(rng: np.random.Generator) -> None:
    looped = excerpt(tone(100, 0.5), RATE_HZ * 3, rng)
    assert np.abs(np.diff(looped)).max() < 3 * np.abs(np.diff(tone(100))).max()


def test_room_keeps_level_and_adds_a_tail(rng: np.random.Generator) -> None:
    click = np.zeros(RATE_HZ, dtype=np.float32)
    click[100] = 1.0
    reverberant = in_room(click, decaying_response(rng))
    assert np.square(reverberant).sum() == pytest.approx(1.0, rel=1e-3)
    assert np.argmax(np.abs(reverberant)) == 100
    assert np.abs(reverberant[200:]).max() > 1e-4


def test_band_limit_stops_what_is_outside() -> None:
    through = band_limit(tone(1_000) + tone(5_000) + tone(40), 150, 3_500)
    assert band_rms(through, 4_500, 5_500) < 0.01
    assert band_rms(through, 20, 60) < 0.05
    assert band_rms(through, 900, 1_100) == pytest.approx(0.354, rel=0.05)


def test_codecs_keep_length_and_most_of_the_sound() -> None:
    sound = tone(700) + noise(5, 2.048, level=0.05)
    seen = set()
    for seed in range(12):
        coded = through_codec(sound, np.random.default_rng(seed))
        assert coded.shape == sound.shape
        assert coded.dtype == np.float32
        assert band_rms(coded, 600, 800) == pytest.approx(0.354, rel=0.2)
        seen.add(round(float(band_rms(coded - sound)), 4))
    assert len(seen) >= 3, "different codecs must differ"


def test_set_level() -> None:
    assert band_rms(set_level(tone(1_000), -30)) == pytest.approx(10**-1.5, rel=1e-2)
    assert np.abs(set_level(noise(1, 1.0), 0)).max() == 1.0
    assert not set_level(np.zeros(5, dtype=np.float32), -20).any()


def test_stretched_moves_pitch_and_length() -> None:
    fast = stretched(tone(1_000), 1.25)
    assert fast.size == pytest.approx(2.048 * RATE_HZ / 1.25, abs=1)
    assert band_rms(fast, 1_200, 1_300) > 0.3


def test_made_up_sounds_are_finite_audible_and_repeatable() -> None:
    for seed in range(40):
        sound = synthetic_sound(RATE_HZ * 3, np.random.default_rng(seed))
        assert sound.shape == (RATE_HZ * 3,)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() > 1e-4
        assert np.array_equal(sound, synthetic_sound(RATE_HZ * 3, np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", [649, 738, 1949])
def test_a_dull_high_knock_does_not_grow_without_end(seed: int) -> None:
    sound = synthetic_sound(RATE_HZ * 12, np.random.default_rng(seed))
    assert np.isfinite(sound).all()
    assert 1e-4 < np.abs(sound).max() < 10


def test_recolouring_changes_the_balance_of_frequencies_and_adds_none(rng: np.random.Generator) -> None:
    sound = tone(300, level=0.2) + tone(3_000, level=0.2)

    def balance_db(samples: np.ndarray) -> float:
        return float(20 * np.log10(band_rms(samples, 250, 350) / band_rms(samples, 2_900, 3_100)))

    changed = [recoloured(sound, rng) for _ in range(20)]
    assert all(other.shape == sound.shape and other.dtype == np.float32 for other in changed)
    assert np.std([balance_db(other) for other in changed]) > 4
    assert all(band_rms(other, 1_000, 1_500) < 1e-2 * band_rms(other, 200, 7_000) for other in changed)
    assert recoloured(np.zeros(0, dtype=np.float32), rng).size == 0
