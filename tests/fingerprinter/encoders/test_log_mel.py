import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.mel import log_mel_reference

pytestmark = pytest.mark.train


def test_layer_equals_the_numpy_reference(rng, songs):
    config = FrontEndConfig()
    windows = np.stack(
        [
            songs[0][: config.window_samples],
            rng.standard_normal(config.window_samples) * 0.2,
            np.zeros(config.window_samples),
        ]
    ).astype(np.float32)
    images = np.asarray(LogMel(config)(windows))
    assert images.shape == (3, 96, 64, 1)
    for window, image in zip(windows, images, strict=True):
        np.testing.assert_allclose(image[:, :, 0], log_mel_reference(window, config), atol=2e-3)


def test_layer_survives_serialization():
    config = FrontEndConfig(n_mels=64)
    rebuilt = LogMel.from_config(LogMel(config).get_config())
    assert rebuilt.config == config


def test_frames_that_are_no_power_of_two_are_padded_for_the_transform(songs):
    """Ten milliseconds are 160 samples: frames of 320, transformed at 512 points."""
    config = FrontEndConfig(window_samples=15_360, fft_samples=320, hop_samples=160, n_mels=64)
    assert config.spectrum_samples == 512
    assert FrontEndConfig().spectrum_samples == FrontEndConfig().fft_samples
    window = songs[0][: config.window_samples]
    images = np.asarray(LogMel(config)(window[None]))
    assert images.shape == (1, 64, 96, 1)
    np.testing.assert_allclose(images[0, :, :, 0], log_mel_reference(window, config), atol=2e-3)
