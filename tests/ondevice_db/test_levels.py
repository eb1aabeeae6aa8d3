"""Levels of recordings without their clicks and offsets, and where sound begins."""

import numpy as np
import pytest

from nowplaying_core.audio import SAMPLE_RATE_HZ
from ondevice_db.levels import SILENCE_DBFS, brought_up, first_above_s, first_audible_s, loudest_dbfs


def tone(level_dbfs: float, seconds: float) -> np.ndarray:
    wave = np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(np.arange(round(seconds * SAMPLE_RATE_HZ)) * 0.3)
    return wave.astype(np.float32)


def with_click(samples: np.ndarray, at_s: float) -> np.ndarray:
    clicked = samples.copy()
    start = round(at_s * SAMPLE_RATE_HZ)
    clicked[start : start + 160] = 0.9
    return clicked


# A click that begins within a block and one that reaches from one block into the next.
@pytest.mark.parametrize("at_s", [1.25, 1.295])
def test_a_click_does_not_make_a_recording_loud(at_s: float) -> None:
    quiet = tone(-65, 8.0)
    assert loudest_dbfs(quiet) == pytest.approx(-65, abs=0.1)
    assert loudest_dbfs(with_click(quiet, at_s)) == pytest.approx(-65, abs=0.1)
    loud, silence_dbfs = brought_up(with_click(quiet, at_s))
    assert 10 * np.log10(np.mean(loud[4 * SAMPLE_RATE_HZ :] ** 2)) == pytest.approx(-20, abs=0.1)
    assert silence_dbfs == pytest.approx(-40, abs=0.1)
    assert np.abs(loud).max() <= 1.0


def test_the_loudest_second_counts_and_an_offset_does_not() -> None:
    part = np.concatenate([tone(-70, 4.0), tone(-30, 1.0), tone(-70, 2.5)])
    assert loudest_dbfs(part) == pytest.approx(-30, abs=0.1)
    assert loudest_dbfs(tone(-50, 3.0) + np.float32(0.25)) == pytest.approx(-50, abs=0.1)
    assert loudest_dbfs(tone(-50, 0.9)) is None


def test_usual_and_short_recordings_stay_as_they_are() -> None:
    for samples in (tone(-30, 8.0), tone(-50, 0.9), np.zeros(32_000, np.float32)):
        same, silence_dbfs = brought_up(samples)
        assert same is samples
        assert silence_dbfs == SILENCE_DBFS


def test_an_offset_is_taken_away() -> None:
    lifted, _ = brought_up(tone(-30, 2.0) + np.float32(0.25))
    np.testing.assert_allclose(lifted, tone(-30, 2.0), atol=1e-4)


def test_sound_begins_behind_a_click() -> None:
    silence = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
    late = with_click(np.concatenate([silence, tone(-50, 2.0)]), 0.5)
    assert first_above_s(late, SILENCE_DBFS) == pytest.approx(3.0)
    assert first_audible_s(late) == pytest.approx(3.0)
    assert first_above_s(with_click(silence, 0.5), SILENCE_DBFS) is None
    assert first_audible_s(with_click(silence, 0.5)) == 0.0
    # A sound that the recording ends with is no click.
    assert first_above_s(np.concatenate([silence, tone(-50, 0.2)]), SILENCE_DBFS) == pytest.approx(3.0)


def test_the_first_audible_sound() -> None:
    samples = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
    assert first_audible_s(samples) == 0.0
    samples[2 * SAMPLE_RATE_HZ :: 2], samples[2 * SAMPLE_RATE_HZ + 1 :: 2] = 0.01, -0.01
    assert first_audible_s(samples) == pytest.approx(2.0)
    assert first_audible_s(samples[:50]) == 0.0
