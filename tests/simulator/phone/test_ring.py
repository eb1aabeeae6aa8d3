"""The ring buffer: the last eight seconds, whatever the chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nowplaying_core.audio import mulaw, to_float32, to_int16
from nowplaying_core.errors import ConfigError
from simulator.energy.work import BUFFER_BYTES
from simulator.phone.ring import MulawRing


def test_eight_seconds_are_128_000_bytes() -> None:
    ring = MulawRing()
    ring.write_codes(np.zeros(200_000, np.uint8))
    assert ring.read_codes().nbytes == BUFFER_BYTES == 128_000
    assert ring.filled_s == 8.0


def test_keeps_the_newest_samples_as_mulaw() -> None:
    ring = MulawRing(0.5)
    samples = np.random.default_rng(1).uniform(-1, 1, 20_000).astype(np.float32)
    ring.write(samples)
    expected = to_float32(mulaw.decode(mulaw.encode(to_int16(samples[-8000:]))))
    np.testing.assert_array_equal(ring.read(), expected)
    assert ring.filled_s == 0.5


def test_partly_filled_buffer_returns_only_what_was_written() -> None:
    ring = MulawRing(1.0)
    ring.write(np.full(400, 0.5, np.float32))
    assert len(ring.read()) == 400
    assert ring.filled_s == 400 / 16_000


@given(st.lists(st.integers(0, 400), max_size=30))
def test_any_chunks_leave_the_same_sound(lengths: list[int]) -> None:
    codes = np.random.default_rng(2).integers(0, 256, sum(lengths), dtype=np.uint8)
    ring = MulawRing(0.02)
    start = 0
    for length in lengths:
        ring.write_codes(codes[start : start + length])
        start += length
    np.testing.assert_array_equal(ring.read_codes(), codes[-320:])


def test_reading_keeps_the_sound_and_clear_forgets_it() -> None:
    ring = MulawRing(0.02)
    ring.write_codes(np.arange(200, dtype=np.uint8))
    first = ring.read_codes()
    first[:] = 0
    assert ring.read_codes()[5] == 5
    ring.clear()
    assert len(ring.read()) == 0


def test_refuses_an_empty_buffer() -> None:
    with pytest.raises(ConfigError, match="above 0 s"):
        MulawRing(0.0)
