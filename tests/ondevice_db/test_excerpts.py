"""Excerpts of eight seconds do not depend on how a recording arrives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nowplaying_core.audio import SAMPLE_RATE_HZ, AudioSource
from nowplaying_core.errors import AudioFormatError, ConfigError
from ondevice_db.excerpts import blocks_of, cut, excerpt_at, excerpts_every
from ondevice_db.places import Opening

SIZE = 8 * SAMPLE_RATE_HZ


def recording(seconds: float) -> np.ndarray:
    """Return samples that say where they are."""
    return np.arange(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32)


@given(
    seconds=st.floats(0.001, 40),
    every_s=st.sampled_from([0.5, 3.3, 8.0, 11.0]),
    block=st.integers(1_000, 400_000),
)
@settings(max_examples=60, deadline=None)
def test_excerpts_come_from_their_places_however_the_recording_is_cut(
    seconds: float, every_s: float, block: int
) -> None:
    samples = recording(seconds)
    blocks = AudioSource("a.wav", (samples[start : start + block] for start in range(0, samples.size, block)))
    found = list(excerpts_every(blocks, every_s))
    assert [place for place, _ in found] == pytest.approx([number * every_s for number in range(len(found))])
    for place, excerpt in found:
        start = round(place * SAMPLE_RATE_HZ)
        np.testing.assert_array_equal(excerpt, samples[start : start + SIZE])
    following = samples.size - round(len(found) * every_s * SAMPLE_RATE_HZ)
    assert following < SIZE / 2  # too little for one more
    assert len(found) == 1 or found[-1][1].size >= SIZE / 2


def test_an_excerpt_lies_within_its_recording() -> None:
    samples = recording(20.0)
    np.testing.assert_array_equal(excerpt_at("a.wav", Opening(iter([samples])), 5.0), samples[80_000 : 80_000 + SIZE])
    np.testing.assert_array_equal(cut(samples, 5.0), samples[80_000 : 80_000 + SIZE])
    assert excerpt_at("a.wav", Opening(iter([samples])), 19.0).size == SAMPLE_RATE_HZ
    with pytest.raises(AudioFormatError, match=r"a\.wav: expected a start within the 20\.0 s of the recording"):
        excerpt_at("a.wav", Opening(iter([samples])), 20.0)
    for at_s in (-1.0, np.nan, np.inf, 1e300):
        with pytest.raises(ConfigError, match="at_s: expected seconds from 0"):
            excerpt_at("a.wav", Opening(iter([samples])), at_s)


def test_an_array_is_mono_and_has_samples() -> None:
    for array in (np.zeros(0, np.float32), np.zeros((2, 100), np.float32)):
        with pytest.raises(ConfigError, match="mono samples"):
            blocks_of(array)
    with pytest.raises(AudioFormatError, match="sample 3 "):
        list(blocks_of(np.float32([0, 0, 0, np.nan])))
    (block,) = blocks_of(np.ones(100, np.float32))
    assert block.size == 100
