import numpy as np
import pytest

from fingerprinter.augment.chain import Augmenter
from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import Recordings
from pretraining.clips import ClipSampler
from tests.detector.sounds import noise, pcm
from tests.pretraining.material import small_config


@pytest.fixture(scope="session")
def clips(songs: list[np.ndarray]) -> ClipSampler:
    """Return a sampler over two songs' beginnings and a noise, with short rooms."""
    config = small_config("random")
    past, window = round(config.past_s * 16_000), config.front_end.window_samples
    music = Recordings.join([pcm(song[: 5 * 16_000]) for song in songs[:4]])
    noises = Recordings.join([pcm(noise(number, 4.0)) for number in range(2)])
    none = np.zeros((0, past), np.float32)
    augmenter = Augmenter(
        config.augment, measured_rooms=none, simulated_rooms=none, past_samples=past, window_samples=window
    )
    return ClipSampler(PairSampler([(music, 0.7), (noises, 0.3)], [(noises, 1.0)], augmenter, max_shift_s=0.0))
