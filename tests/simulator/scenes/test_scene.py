"""Scenes: stated levels, the same for the same seed, refused when they cannot be played."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError
from simulator.scenes.acoustics import band_level_dbfs, excerpt, low_pass, room_response
from simulator.scenes.recordings import demo_recordings
from simulator.scenes.scene import Scene, Sound, SoundKind, compose
from simulator.scenes.scripts import SCENES

MUSIC = Sound(recording="tone", kind=SoundKind.MUSIC, label="tone", start_s=2.0, duration_s=3.0, level_dbfs=-20.0)
NOISE = Sound(recording="hiss", kind=SoundKind.NOISE, label="hiss", start_s=1.0, duration_s=8.0, level_dbfs=-30.0)


def _recordings() -> dict[str, NDArray[np.float32]]:
    time_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    hiss = np.random.default_rng(7).standard_normal(SAMPLE_RATE_HZ)
    return {"tone": np.sin(2 * np.pi * 440 * time_s).astype(np.float32), "hiss": (0.1 * hiss).astype(np.float32)}


RECORDINGS = _recordings()


def _scene(*sounds: Sound) -> Scene:
    return Scene(name="test", title="test", duration_s=10.0, sounds=sounds)


def _part(samples: NDArray[np.float32], start_s: float, end_s: float) -> NDArray[np.float32]:
    return samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]


def test_a_sound_has_its_level_and_place() -> None:
    samples = compose(_scene(MUSIC), RECORDINGS, np.random.default_rng(1))
    assert len(samples) == 10 * SAMPLE_RATE_HZ
    assert samples.dtype == np.float32
    assert band_level_dbfs(_part(samples, 2.5, 4.5)) == pytest.approx(-20.0, abs=0.3)
    assert band_level_dbfs(_part(samples, 6, 10)) < -65


@settings(max_examples=25, deadline=None)
@given(st.floats(-10.0, 20.0), st.floats(1.5, 5.5), st.floats(1.5, 3.0), st.floats(0.0, 4.0), st.integers(0, 10**6))
def test_music_is_above_the_noise_as_stated(
    snr_db: float, start_s: float, duration_s: float, offset_s: float, seed: int
) -> None:
    music = dataclasses.replace(
        MUSIC, snr_db=snr_db, start_s=start_s, duration_s=duration_s, offset_s=offset_s, level_dbfs=0.0
    )
    alone, both = (
        compose(_scene(*sounds), RECORDINGS, np.random.default_rng(seed)) for sounds in ([NOISE], [NOISE, music])
    )
    added = both - alone
    margin_s = 0.5
    start_s, end_s = start_s + margin_s, start_s + duration_s - margin_s
    level_db = band_level_dbfs(_part(added, start_s, end_s)) - band_level_dbfs(_part(alone, start_s, end_s))
    assert level_db == pytest.approx(snr_db, abs=0.4)
    # Nothing is added before its start or after its end, but for one sample of rounding.
    first, last = (round(one * SAMPLE_RATE_HZ) for one in (music.start_s, music.end_s))
    assert not added[: first - 1].any()
    assert not added[last + 1 :].any()


@settings(max_examples=25, deadline=None)
@given(st.floats(-60.0, -3.0), st.floats(0.0, 7.0))
def test_a_sound_alone_has_its_level(level_dbfs: float, start_s: float) -> None:
    sound = dataclasses.replace(MUSIC, level_dbfs=level_dbfs, start_s=start_s)
    samples = compose(_scene(sound), RECORDINGS, np.random.default_rng(1))
    assert np.abs(samples).max() <= 1.0
    middle = _part(samples, start_s + 0.5, start_s + 2.5)
    assert band_level_dbfs(middle) == pytest.approx(level_dbfs, abs=0.5)


def test_same_seed_same_scene() -> None:
    scene = _scene(dataclasses.replace(MUSIC, other_room_cutoff_hz=2000.0))
    first, again, other = (compose(scene, RECORDINGS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_wall_takes_the_treble() -> None:
    hiss = np.random.default_rng(3).standard_normal(4 * SAMPLE_RATE_HZ).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(low_pass(hiss, 1000.0))) ** 2
    assert spectrum[: 4 * 900].sum() > 50 * spectrum[4 * 4000 :].sum()


def test_a_room_falls_by_sixty_decibels() -> None:
    response = room_response(0.5, 0.3, np.random.default_rng(4))
    assert np.sum(response**2) == pytest.approx(1.0, rel=1e-4)
    # Backward integration (Schroeder): the decay from -5 to -25 dB, times three, is T60.
    tail = response[1:].astype(np.float64)
    decay_db = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2))
    t20_s = (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / SAMPLE_RATE_HZ
    assert 3 * t20_s == pytest.approx(0.5, abs=0.05)


def test_a_short_recording_begins_again() -> None:
    samples = np.arange(100, dtype=np.float32)
    np.testing.assert_array_equal(excerpt(samples, 90 / SAMPLE_RATE_HZ, 20 / SAMPLE_RATE_HZ), np.arange(90, 110) % 100)


def test_refuses_what_cannot_be_played() -> None:
    with pytest.raises(ConfigError, match="'other'"):
        compose(_scene(dataclasses.replace(MUSIC, recording="other")), RECORDINGS, np.random.default_rng(1))
    with pytest.raises(ConfigError, match="silent"):
        compose(_scene(MUSIC), {"tone": np.zeros(100, np.float32)}, np.random.default_rng(1))
    with pytest.raises(ConfigError, match="after the scene"):
        _scene(dataclasses.replace(MUSIC, start_s=8.0))
    with pytest.raises(ConfigError, match="duration_s"):
        dataclasses.replace(MUSIC, duration_s=0.0)
    with pytest.raises(ConfigError, match="cut-off"):
        low_pass(RECORDINGS["tone"], 9000.0)
    with pytest.raises(ConfigError, match="t60_s"):
        room_response(0.0, 0.5, np.random.default_rng(1))


@pytest.mark.parametrize("name", SCENES)
def test_shipped_scenes_use_shipped_recordings(name: str) -> None:
    recordings = demo_recordings()
    for sound in SCENES[name].sounds:
        assert recordings[sound.recording].kind is sound.kind
