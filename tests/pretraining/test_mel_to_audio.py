import numpy as np
import pytest

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import log_mel_reference
from pretraining.config.run import default_front_end
from pretraining.mel_to_audio import mel_to_audio
from tests.synthesis import song

FRONT_END = FrontEndConfig()


@pytest.mark.train
def test_sound_of_an_image_has_nearly_that_image() -> None:
    window = FRONT_END.window_samples
    image, other = (log_mel_reference(song(seed, 4.0)[window // 2 :][:window], FRONT_END) for seed in (1, 2))
    samples = mel_to_audio(image, FRONT_END)
    assert samples.dtype == np.float32
    assert len(samples) == window
    assert np.abs(samples).max() == pytest.approx(0.5)
    again = log_mel_reference(samples, FRONT_END)
    inside = (slice(None), slice(2, -2))  # the edges of a lone window know only half a frame
    assert np.corrcoef(again[inside].ravel(), image[inside].ravel())[0, 1] > 0.9
    assert np.corrcoef(again[inside].ravel(), other[inside].ravel())[0, 1] < 0.8


def test_sound_comes_back_with_its_log_mel_and_its_level() -> None:
    config = default_front_end()
    image = log_mel_reference(song(3, 2.0)[: config.window_samples], config)
    samples = mel_to_audio(image, config, rms=0.05, seed=1)
    assert samples.shape == (config.window_samples,)
    assert samples.dtype == np.float32
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.05, rel=1e-3)
    again = log_mel_reference(samples, config)
    loud = image > 0
    # A third of a unit is 4.3 dB.
    assert np.abs(again - image)[loud].mean() < 0.33
    assert np.corrcoef(again.ravel(), image.ravel())[0, 1] > 0.95
    np.testing.assert_array_equal(samples, mel_to_audio(image, config, rms=0.05, seed=1))
    assert np.abs(mel_to_audio(image, config, rms=10.0, seed=1)).max() <= 0.951
