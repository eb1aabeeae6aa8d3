import numpy as np
import pytest

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import log_mel_reference
from pretraining.mel_to_audio import sound_of_mel
from tests.synthesis import song

FRONT_END = FrontEndConfig()


@pytest.mark.train
def test_sound_of_an_image_has_nearly_that_image() -> None:
    window = FRONT_END.window_samples
    image, other = (log_mel_reference(song(seed, 4.0)[window // 2 :][:window], FRONT_END) for seed in (1, 2))
    samples = sound_of_mel(image, FRONT_END)
    assert samples.dtype == np.float32
    assert len(samples) == window
    assert np.abs(samples).max() == pytest.approx(0.5)
    heard = log_mel_reference(samples, FRONT_END)
    inside = (slice(None), slice(2, -2))  # the edges of a lone window know only half a frame
    assert np.corrcoef(heard[inside].ravel(), image[inside].ravel())[0, 1] > 0.9
    assert np.corrcoef(heard[inside].ravel(), other[inside].ravel())[0, 1] < 0.8
