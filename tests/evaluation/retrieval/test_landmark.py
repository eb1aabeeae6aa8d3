import numpy as np
import pytest

from evaluation.retrieval.landmark import LandmarkIndex, landmarks
from tests.synthesis import song


@pytest.fixture(scope="module")
def songs() -> list[np.ndarray]:
    return [song(number, 20.0) for number in range(12)]


@pytest.fixture(scope="module")
def index(songs: list[np.ndarray]) -> LandmarkIndex:
    return LandmarkIndex(songs)


def test_noisy_excerpts_are_found_at_their_place(index: LandmarkIndex, songs: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    right, errors_s = 0, []
    for number, samples in enumerate(songs):
        start_s = float(rng.uniform(2, 14))
        query = samples[round(start_s * 16_000) :][: 5 * 16_000]
        noise = rng.standard_normal(query.size).astype(np.float32)
        query = query + 0.5 * query.std() * noise
        found, offset_s, n_common = index.match(query)
        assert n_common > 0
        right += found == number
        errors_s.append(abs(offset_s - start_s))
    assert right >= 11
    assert np.median(errors_s) < 0.05


def test_each_peak_has_at_most_three_partners(songs: list[np.ndarray]) -> None:
    hashes, frames = landmarks(songs[0])
    assert hashes.size == frames.size > 100
    distance, jump = hashes & 63, ((hashes >> 6) & 63) - 32
    assert distance.min() >= 1
    assert np.abs(jump).max() <= 31
    assert hashes.size <= 3 * 20 * songs[0].size / 11_025 + 3


def test_silence_has_no_landmarks(index: LandmarkIndex) -> None:
    assert index.match(np.zeros(16_000, np.float32))[0] == -1
    assert index.match(np.zeros(100, np.float32)) == (-1, 0.0, 0)
