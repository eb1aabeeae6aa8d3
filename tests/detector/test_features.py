import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import (
    FULL_SCALE,
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    FeatureStream,
    features_of,
    frame_end_s,
    quantize,
)
from tests.detector.sounds import noise, pcm

GOLDEN = Path(__file__).with_name("golden_features.json")


def golden_signal() -> np.ndarray:
    """Integers only, so that no floating-point library can change it: two square waves and a ramp of pulses."""
    index = np.arange(16_000)
    wave = np.where(index // 20 % 2, 4_000, -4_000) + np.where(index // 7 % 2, 1_500, -1_500)
    pulses = np.where(index % 1_600 < 40, index, 0)
    return (wave * (index >= 3_200) + pulses).astype(np.int16)


def test_golden_integers_of_every_tenth_frame() -> None:
    assert GOLDEN.is_file(), "golden_features.json is part of the test, restore it"
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    frames = FeatureStream().process(golden_signal())
    assert frames.shape == (98, 40)
    assert frames.dtype == np.uint16
    assert frames[::10].tolist() == golden["raw"]
    assert quantize(frames[::10]).tolist() == golden["int8"]


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 16_000), max_size=12))
def test_frames_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    signal = golden_signal()
    whole = FeatureStream().process(signal)
    stream = FeatureStream()
    parts = [stream.process(part) for part in np.split(signal, sorted(cuts))]
    assert np.array_equal(np.concatenate(parts), whole)


def test_single_samples_make_frames_too() -> None:
    signal = pcm(noise(1, 0.05))
    stream = FeatureStream()
    parts = [stream.process(signal[i : i + 1]) for i in range(signal.size)]
    assert np.array_equal(np.concatenate(parts), FeatureStream().process(signal))


def test_frame_count_and_end_time() -> None:
    assert len(FeatureStream().process(np.zeros(479, dtype=np.int16))) == 0
    assert len(FeatureStream().process(np.zeros(480, dtype=np.int16))) == 1
    assert len(FeatureStream().process(np.zeros(16_000 * 2, dtype=np.int16))) == 198
    assert frame_end_s(0) == pytest.approx(0.03)
    assert frame_end_s(445) == pytest.approx(4.48)


def test_memory_and_reset() -> None:
    signal = pcm(noise(2, 1.005))
    stream = FeatureStream()
    first = stream.process(signal)
    assert not np.array_equal(stream.process(signal)[:98], first[:98]), "the front end must adapt"
    stream.reset()
    assert np.array_equal(stream.process(signal), first)


def test_two_streams_do_not_share_state() -> None:
    signal, other = pcm(noise(3, 1.0)), pcm(noise(4, 1.0, level=0.5))
    expected = FeatureStream().process(signal)
    one, two = FeatureStream(), FeatureStream()
    parts = []
    for start in range(0, 16_000, 4_000):
        parts.append(one.process(signal[start : start + 4_000]))
        two.process(other[start : start + 4_000])
    assert np.array_equal(np.concatenate(parts), expected)


def test_quantize_is_rounding_to_the_tensor_grid() -> None:
    raw = np.arange(1_200, dtype=np.uint16)
    expected = np.clip(np.rint(raw / INPUT_SCALE) + INPUT_ZERO_POINT, -128, 127)
    assert np.array_equal(quantize(raw), expected.astype(np.int8))


def test_range_covers_silence_and_full_scale() -> None:
    silent = FeatureStream().process(np.zeros(16_000, dtype=np.int16))
    square = np.where(np.arange(16_000) // 18 % 2, 32_767, -32_767).astype(np.int16)
    loud = FeatureStream().process(square)
    assert silent.max() == 0
    assert features_of(np.zeros(16_000, dtype=np.int16)).max() == -128
    assert 0.95 * FULL_SCALE < loud.max() < 1.05 * FULL_SCALE
