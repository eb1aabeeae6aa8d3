import dataclasses

import numpy as np
import pytest

from fingerprinter.augment.bands import BandLimit, draw_band_limit, response
from fingerprinter.augment.chain import Augmenter
from fingerprinter.augment.config import AugmentConfig
from nowplaying_core.errors import ConfigError

PAST, WINDOW = 4096, 8192
CLEAN = AugmentConfig(
    p_noise=0, p_room=0, p_speaker=0, p_microphone=0, p_clip=0, p_mulaw=0, p_gap=0, level_dbfs=(-20, -20)
)


def augmenter(config: AugmentConfig, rooms: np.ndarray | None = None) -> Augmenter:
    empty = np.zeros((0, PAST), np.float32)
    measured = empty if rooms is None else rooms
    return Augmenter(config, measured_rooms=measured, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW)


def batch(rng: np.random.Generator, n: int = 4) -> tuple[np.ndarray, np.ndarray]:
    shape = (n, PAST + WINDOW)
    return rng.standard_normal(shape).astype(np.float32) * 0.1, rng.standard_normal(shape).astype(np.float32)


def test_without_degradations_only_the_level_changes(rng):
    music, noise = batch(rng)
    degraded, drawn = augmenter(CLEAN).augment(music, noise, rng)
    expected = music[:, PAST:] / np.sqrt(np.mean(music[:, PAST:] ** 2, axis=1, keepdims=True)) * 0.1
    np.testing.assert_allclose(degraded, expected, atol=1e-5)
    assert all(record.room == "" and record.level_dbfs == -20 for record in drawn)


def test_noise_has_the_drawn_ratio(rng):
    music, noise = batch(rng)
    config = dataclasses.replace(CLEAN, p_noise=1.0, snr_db=(7.0, 7.0))
    degraded, drawn = augmenter(config).augment(music, noise, rng)
    for mixed, row, record in zip(degraded, music[:, PAST:], drawn, strict=True):
        # Project out the music; what is left is the noise. Both are white, so any band gives the same ratio.
        gain = np.dot(mixed, row) / np.dot(row, row)
        rest = mixed - gain * row
        ratio_db = 10 * np.log10(np.sum((gain * row) ** 2) / np.sum(rest**2))
        assert ratio_db == pytest.approx(record.snr_db, abs=0.6)


def test_a_room_echoes_what_was_before_the_window(rng):
    room = np.zeros((1, PAST), np.float32)
    room[0, 0], room[0, 1000] = 1.0, 0.5
    music = np.zeros((1, PAST + WINDOW), np.float32)
    music[0, PAST - 400], music[0, PAST + 4000] = 1.0, 1.0
    config = dataclasses.replace(CLEAN, p_room=1.0, p_measured=1.0)
    degraded, drawn = augmenter(config, room).augment(music, np.ones_like(music), rng)
    peaks = np.flatnonzero(np.abs(degraded[0]) > 0.1 * np.abs(degraded[0]).max())
    np.testing.assert_array_equal(peaks, [600, 4000, 5000])
    assert drawn[0].room == "measured-0"


def test_equal_generators_give_equal_batches(rng):
    music, noise = batch(rng, 6)
    chain = augmenter(AugmentConfig())
    first = chain.augment(music, noise, np.random.default_rng(3))
    again = chain.augment(music, noise, np.random.default_rng(3))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert np.any(first[0] != chain.augment(music, noise, np.random.default_rng(4))[0])


def test_the_input_is_left_alone(rng):
    music, noise = batch(rng)
    before = music.copy(), noise.copy()
    augmenter(AugmentConfig(p_gap=1.0)).augment(music, noise, rng)
    np.testing.assert_array_equal(music, before[0])
    np.testing.assert_array_equal(noise, before[1])


def test_band_limit_is_3_db_down_at_its_edges():
    limit = BandLimit(low_hz=200, high_hz=4000, low_order=4, high_order=5, tilt_db=(0.0,) * 7)
    curve = response(limit, np.arange(0, 8001, 1.0))
    assert curve[1000] == pytest.approx(1.0, abs=0.01)
    assert 20 * np.log10(curve[4000]) == pytest.approx(-3.0, abs=0.3)
    assert 20 * np.log10(curve[200]) == pytest.approx(-3.0, abs=0.5)
    assert curve[8000] < 0.05


def test_drawn_devices_stay_in_range(rng):
    for _ in range(200):
        limit = draw_band_limit(rng)
        assert 20 <= limit.low_hz <= 300
        assert 3000 <= limit.high_hz <= 7800


@pytest.mark.parametrize("settings", [{"p_room": 1.2}, {"snr_db": (5.0, 0.0)}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError):
        AugmentConfig(**settings)


def test_speed_moves_pitch_and_is_recorded(rng):
    time_s = np.arange(PAST + WINDOW) / 16_000
    music = np.tile(0.1 * np.sin(2 * np.pi * 1000 * time_s), (8, 1)).astype(np.float32)
    config = dataclasses.replace(CLEAN, p_speed=1.0, max_speed=0.05)
    degraded, drawn = augmenter(config).augment(music, music, rng)
    for row, record in zip(degraded, drawn, strict=True):
        spectrum = np.abs(np.fft.rfft(row[:8000] * np.hanning(8000)))
        assert 2 * np.argmax(spectrum) == pytest.approx(1000 * record.speed, abs=2)
    assert len({record.speed for record in drawn}) == 8


def test_speed_leaves_the_middle_of_the_window_in_place(rng):
    music = np.zeros((1, PAST + WINDOW), np.float32)
    music[0, PAST + WINDOW // 2] = 1.0
    config = dataclasses.replace(CLEAN, p_speed=1.0, max_speed=0.05)
    degraded, _ = augmenter(config).augment(music, np.ones_like(music), rng)
    assert np.argmax(np.abs(degraded[0])) == WINDOW // 2


def test_noise_may_sound_in_the_room(rng):
    """A room that is a pure delay moves the noise too, and only where it was drawn to."""
    room = np.zeros((1, PAST), np.float32)
    room[0, 0], room[0, 1000] = 1.0, 1.0
    noise = np.zeros((2, PAST + WINDOW), np.float32)
    noise[:, PAST + 2000] = 1.0
    music = 1e-6 * rng.standard_normal(noise.shape).astype(np.float32)
    for share, peaks in ((0.0, [2000]), (1.0, [2000, 3000])):
        config = dataclasses.replace(
            CLEAN, p_room=1.0, p_measured=1.0, p_noise=1.0, p_noise_room=share, snr_db=(-60.0, -60.0)
        )
        degraded, drawn = augmenter(config, room).augment(music, noise, rng)
        found = np.flatnonzero(np.abs(degraded[0]) > 0.3 * np.abs(degraded[0]).max())
        np.testing.assert_array_equal(found, peaks)
        assert all(record.noise_in_room == (share == 1.0) for record in drawn)


def test_gain_control_levels_loud_and_quiet(rng):
    music = rng.standard_normal((1, PAST + WINDOW)).astype(np.float32)
    music[:, PAST : PAST + WINDOW // 2] *= 0.05
    config = dataclasses.replace(CLEAN, p_gain_control=1.0)
    (levelled,), (record,) = augmenter(config).augment(music, music, rng)
    quiet, loud = levelled[: WINDOW // 4], levelled[-WINDOW // 4 :]
    ratio = np.sqrt(np.mean(quiet**2) / np.mean(loud**2))
    assert 0.3 <= record.gain_control <= 1.0
    assert ratio > 1.5 * 0.05


@pytest.mark.parametrize(
    ("share", "codec"), [({"p_opus": 1.0}, "opus"), ({"p_gsm": 1.0}, "gsm"), ({"p_mulaw": 1.0}, "mulaw"), ({}, "")]
)
def test_coding_is_recorded_and_leaves_the_sound_alike(rng, share, codec):
    music, noise = batch(rng)
    music = np.cumsum(music, axis=1, dtype=np.float32)  # more low than high sound, as in music
    music -= music.mean(axis=1, keepdims=True)
    plain, _ = augmenter(CLEAN).augment(music, noise, np.random.default_rng(0))
    coded, drawn = augmenter(dataclasses.replace(CLEAN, **share)).augment(music, noise, np.random.default_rng(0))
    assert all(record.codec == codec for record in drawn)
    assert np.any(coded != plain) == bool(codec)
    spectra = [np.abs(np.fft.rfft(rows, axis=1))[:, 20:2000].ravel() for rows in (plain, coded)]
    assert np.corrcoef(*spectra)[0, 1] > 0.9


def test_masks_leave_out_bands_and_moments(rng):
    music, noise = batch(rng)
    degraded, drawn = augmenter(dataclasses.replace(CLEAN, p_masks=1.0)).augment(music, noise, rng)
    for row, record in zip(degraded, drawn, strict=True):
        assert len(record.mask_hz) == len(record.mask_s) == 2
        for begin_s, end_s in record.mask_s:
            assert not row[round(begin_s * 16_000) : round(end_s * 16_000)].any()
            assert end_s - begin_s <= 0.1 * WINDOW / 16_000 + 1e-9
        for low_hz, high_hz in record.mask_hz:
            assert 160 <= low_hz <= high_hz <= 7000.01
    widest = max(drawn, key=lambda record: record.mask_hz[0][1] / record.mask_hz[0][0])
    low_hz, high_hz = widest.mask_hz[0]
    row = degraded[drawn.index(widest)]
    spectrum = np.abs(np.fft.rfft(row * np.hanning(row.size))) ** 2
    frequencies_hz = np.fft.rfftfreq(row.size, 1 / 16_000)
    inside = (frequencies_hz > low_hz * 1.01) & (frequencies_hz < high_hz / 1.01)
    # The holes in time smear a little of the rest into the band.
    assert spectrum[inside].mean() < 0.3 * spectrum.mean()


def test_clicks_are_short_and_recorded(rng):
    music, noise = batch(rng)
    config = dataclasses.replace(CLEAN, p_clicks=1.0)
    degraded, drawn = augmenter(config).augment(music, noise, rng)
    plain, _ = augmenter(CLEAN).augment(music, noise, rng)
    for clicked, row, record in zip(degraded, plain, drawn, strict=True):
        assert 1 <= len(record.click_s) <= 3
        gain = np.median(clicked / row)
        changed = np.abs(clicked - gain * row) > 1e-4
        starts = np.array([round(start_s * 16_000) for start_s in record.click_s])
        since = np.arange(WINDOW) - starts[:, None]
        assert not changed[~np.any((since >= 0) & (since < 1600), axis=0)].any()
        assert changed[starts[starts < WINDOW]].any()


def test_a_window_that_overhangs_the_query_is_silent_at_one_end(rng):
    music, noise = batch(rng, 40)
    degraded, drawn = augmenter(dataclasses.replace(CLEAN, p_overhang=1.0, max_overhang=0.25)).augment(
        music, noise, rng
    )
    for row, record in zip(degraded, drawn, strict=True):
        n = round(abs(record.overhang_s) * 16_000)
        silent = row[:n] if record.overhang_s < 0 else row[WINDOW - n :]
        sounding = row[n:] if record.overhang_s < 0 else row[: WINDOW - n]
        assert n <= WINDOW // 4
        assert not silent.any()
        assert np.mean(sounding == 0) < 0.01
    assert {np.sign(record.overhang_s) for record in drawn} >= {-1.0, 1.0}
