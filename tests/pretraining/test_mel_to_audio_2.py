import numpy as np
import pytest

from fingerprinter.mel import log_mel_reference
from pretraining.config.run import default_front_end
from pretraining.mel_to_audio import to_sound
from tests.synthesis import song


def test_sound_comes_back_with_its_log_mel_and_its_level() -> None:
    config = default_front_end()
    image = log_mel_reference(song(3, 2.0)[: config.window_samples], config)
    samples = to_sound(image, config, rms=0.05, seed=1)
    assert samples.shape == (config.window_samples,)
    assert samples.dtype == np.float32
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.05, rel=1e-3)
    again = log_mel_reference(samples, config)
    loud = image > 0
    # A third of a unit is 4.3 dB.
    assert np.abs(again - image)[loud].mean() < 0.33
    assert np.corrcoef(again.ravel(), image.ravel())[0, 1] > 0.95
    np.testing.assert_array_equal(samples, to_sound(image, config, rms=0.05, seed=1))
    assert np.abs(to_sound(image, config, rms=10.0, seed=1)).max() <= 0.951
