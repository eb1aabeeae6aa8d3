import numpy as np
import pytest

from nowplaying_core.audio import SAMPLE_RATE_HZ, rms_dbfs
from nowplaying_core.audio.mixing import at_dbfs, band_rms, drop_silence, looped, snr_gain
from tests.detector.sounds import noise


def tone(frequency_hz: float, duration_s: float = 2.048, level: float = 0.5) -> np.ndarray:
    time_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def test_band_rms_counts_what_is_inside_the_band() -> None:
    assert band_rms(tone(1_000)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert band_rms(tone(50)) < 0.02
    assert band_rms(tone(1_000) + tone(7_500)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-2)
    assert band_rms(np.zeros(0, dtype=np.float32)) == 0.0


def test_sound_is_brought_to_a_level_and_silence_stays() -> None:
    for level_dbfs in (-70.0, -20.0, 6.0):
        assert rms_dbfs(at_dbfs(tone(1_000), level_dbfs)) == pytest.approx(level_dbfs, abs=1e-3)
    assert not at_dbfs(np.zeros(100, np.float32), -20.0).any()


def test_drop_silence_keeps_the_sound_and_drops_the_holes() -> None:
    sound = noise(1, 1.0)
    holey = np.concatenate([sound, np.zeros(SAMPLE_RATE_HZ, dtype=np.float32), sound])
    assert drop_silence(holey).size == 2 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("block", [SAMPLE_RATE_HZ, 1 << 15])
def test_only_the_band_counts(block: int) -> None:
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    inside, below = np.sin(2 * np.pi * 1000 * time_s), np.sin(2 * np.pi * 50 * time_s)
    assert band_rms(inside.astype(np.float32), block=block) ** 2 == pytest.approx(0.5, rel=1e-3)
    assert band_rms((inside + 3 * below).astype(np.float32), block=block) ** 2 == pytest.approx(0.5, rel=1e-2)
    assert band_rms(below.astype(np.float32), block=SAMPLE_RATE_HZ) ** 2 < 1e-6


def test_a_loop_has_no_silence(rng: np.random.Generator) -> None:
    burst = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    noise = np.concatenate([np.zeros(3 * SAMPLE_RATE_HZ, np.float32), burst, np.zeros(SAMPLE_RATE_HZ, np.float32)])
    np.testing.assert_array_equal(drop_silence(noise), burst)
    silent = np.zeros(100, np.float32)
    np.testing.assert_array_equal(drop_silence(silent), silent)


def test_the_gain_gives_the_stated_ratio(rng: np.random.Generator) -> None:
    music, other = tone(1_000), rng.standard_normal(32_768).astype(np.float32)
    added = other * snr_gain(band_rms(music), band_rms(other), 7.0)
    assert 20 * np.log10(band_rms(music) / band_rms(added)) == pytest.approx(7.0, abs=1e-4)


def test_a_loop_begins_anywhere_and_never_ends() -> None:
    np.testing.assert_array_equal(looped(np.arange(3, dtype=np.float32), -1, 6), [2, 0, 1, 2, 0, 1])
