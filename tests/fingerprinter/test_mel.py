import numpy as np
import pytest

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.mel import hann_window, log_mel_reference, mel_filters
from nowplaying_core.errors import ConfigError

CONFIG = FrontEndConfig()


def test_filters_each_sum_to_one_and_stay_in_their_band():
    filters = mel_filters(CONFIG)
    assert filters.shape == (513, 96)
    np.testing.assert_allclose(filters.sum(axis=0), 1.0, rtol=1e-5)
    bins_hz = np.arange(513) * 16_000 / 1024
    # One bin of slack: narrow low filters are widened to a bin.
    outside = (bins_hz < CONFIG.low_hz - 16) | (bins_hz > CONFIG.high_hz + 16)
    assert np.all(filters[outside] == 0)


def test_window_has_unit_energy():
    assert np.sum(hann_window(CONFIG).astype(np.float64) ** 2) == pytest.approx(1.0, rel=1e-6)


def test_white_noise_has_unit_mel_power(rng):
    noise = rng.standard_normal(CONFIG.window_samples).astype(np.float32)
    # Undo the normalisation: exp(scale x + mean) is the mel power, whose mean over bins must be near 1.
    image = log_mel_reference(noise * 0.1, CONFIG) * CONFIG.scale
    log_powers = image - image.mean()
    spread = np.exp(log_powers).mean()
    assert 1.0 < spread < 1.6


def test_a_tone_lights_its_own_filter():
    time_s = np.arange(CONFIG.window_samples) / 16_000
    image = log_mel_reference(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32), FrontEndConfig(clip=20.0))
    brightest = np.bincount(image.argmax(axis=0)).argmax()
    filters = mel_filters(CONFIG)
    assert filters[:, brightest][round(1000 * 1024 / 16_000)] > 0


@pytest.mark.parametrize("gain", [1e-3, 0.1, 7.0])
def test_level_does_not_matter(rng, gain):
    samples = rng.standard_normal(CONFIG.window_samples).astype(np.float32) * 0.1
    np.testing.assert_allclose(
        log_mel_reference(samples, CONFIG), log_mel_reference(samples * np.float32(gain), CONFIG), atol=2e-3
    )


def test_silence_is_finite():
    image = log_mel_reference(np.zeros(CONFIG.window_samples, np.float32), CONFIG)
    np.testing.assert_allclose(image, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [{"fft_samples": 1000}, {"window_samples": 32_000}, {"low_hz": 0.0}, {"high_hz": 9000.0}],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match=next(iter(settings)).split("_")[0]):
        FrontEndConfig(**settings)


def test_encoder_settings_must_be_positive():
    with pytest.raises(ConfigError, match="positive"):
        EncoderConfig(dim=0)
