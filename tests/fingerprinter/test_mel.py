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


def test_filters_are_those_of_librosa_but_where_they_are_narrower_than_a_bin():
    librosa = pytest.importorskip("librosa", reason="the train extra is not installed")

    def distances(config: FrontEndConfig) -> np.ndarray:
        other = librosa.filters.mel(
            sr=config.sample_rate_hz,
            n_fft=config.spectrum_samples,
            n_mels=config.n_mels,
            fmin=config.low_hz,
            fmax=config.high_hz,
            htk=True,
            norm=1,
        )
        return np.abs(mel_filters(config) - other.T).max(axis=0)

    assert distances(CONFIG).max() < 1e-7
    short = FrontEndConfig(
        window_samples=15_360, fft_samples=320, hop_samples=160, n_mels=64, low_hz=60.0, high_hz=7800.0
    )
    assert np.flatnonzero(distances(short) > 1e-6).tolist() == [0, 1, 2]


def test_log_mel_is_that_of_librosa(songs):
    librosa = pytest.importorskip("librosa", reason="the train extra is not installed")
    samples = songs[0][: CONFIG.window_samples]
    signal = np.pad(samples / np.sqrt(np.mean(samples.astype(np.float64) ** 2)), CONFIG.hop_samples // 2)
    power = librosa.feature.melspectrogram(
        y=signal,
        sr=CONFIG.sample_rate_hz,
        n_fft=CONFIG.fft_samples,
        hop_length=CONFIG.hop_samples,
        center=False,
        n_mels=CONFIG.n_mels,
        fmin=CONFIG.low_hz,
        fmax=CONFIG.high_hz,
        htk=True,
        norm=1,
    )
    log_mel = np.log(power / np.sum(librosa.filters.get_window("hann", CONFIG.fft_samples) ** 2) + CONFIG.floor)
    expected = np.clip((log_mel - log_mel.mean()) / CONFIG.scale, -CONFIG.clip, CONFIG.clip)
    assert np.ptp(expected) > 2
    np.testing.assert_allclose(log_mel_reference(samples, CONFIG), expected, atol=1e-5)


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
