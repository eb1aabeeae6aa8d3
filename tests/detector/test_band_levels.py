import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.band_levels import BandLevels, significant_bits
from tests.detector.sounds import noise, pcm


def tone(hz: float, amplitude: float, n_samples: int = 3_200) -> np.ndarray:
    return np.rint(amplitude * np.sin(2 * np.pi * hz * np.arange(n_samples) / 16_000)).astype(np.int16)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 8_000), max_size=8))
def test_levels_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    signal = pcm(noise(1, 0.5))
    levels = BandLevels()
    parts = [levels.process(part) for part in np.split(signal, sorted(cuts))]
    whole = BandLevels().process(signal)
    assert whole.shape == (48, 40)
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_level_follows_the_amplitude_and_the_band_the_frequency() -> None:
    loud, soft = (int(BandLevels().process(tone(1_000, amplitude))[5].max()) for amplitude in (20_000, 2_000))
    assert loud == pytest.approx(10 * soft, rel=0.01)
    bands = [int(BandLevels().process(tone(hz, 10_000))[5].argmax()) for hz in (150, 300, 700, 1_500, 3_500, 7_000)]
    assert bands == sorted(set(bands))
    assert bands[0] <= 1
    assert bands[-1] >= 37


def test_levels_are_those_of_a_hann_window_and_mel_triangles_in_floating_point() -> None:
    signal = pcm(noise(2, 0.1, level=0.5))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(480) + 0.5) / 480)
    power = np.abs(np.fft.rfft(signal[:480] * window, 512)) ** 2

    def mel(hz: np.ndarray) -> np.ndarray:
        return 1127 * np.log1p(hz / 700)

    edges = np.linspace(mel(np.array(125.0)), mel(np.array(7_500.0)), 42)
    bins = mel(np.arange(257) * 31.25)
    bins[:5] = 0  # bins up to 125 Hz are left out
    shapes = np.maximum(0, np.minimum((bins - edges[:-2, None]), (edges[2:, None] - bins)) / np.diff(edges)[0])
    # The FFT divides by 512 and halves the result twice as it splits it; the weights have 12 bits.
    expected = np.sqrt(shapes @ power * 4_096) / 512
    found = BandLevels().process(signal)[0]
    assert np.all(np.abs(np.log(found / expected)) < 0.02 + 8 / found)


def test_nothing_comes_of_silence_and_of_too_few_samples() -> None:
    assert BandLevels().process(np.zeros(640, dtype=np.int16)).max() == 0
    assert BandLevels().process(np.zeros(479, dtype=np.int16)).shape == (0, 40)


def test_significant_bits() -> None:
    values = np.array([0, 1, 2, 3, 4, 255, 256, 2**32 - 1], dtype=np.uint32)
    assert significant_bits(values).tolist() == [int(value).bit_length() for value in values]
