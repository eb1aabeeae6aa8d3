import hashlib

import numpy as np
import pytest

from nowplaying_core.audio import rms_dbfs, to_float32, to_int16, track_id


def test_every_int16_survives_the_round_trip() -> None:
    pcm = np.arange(-32_767, 32_768, dtype=np.int16)
    np.testing.assert_array_equal(to_int16(to_float32(pcm)), pcm)


def test_rounding_is_to_nearest_and_saturates() -> None:
    samples = np.array([0.0, 0.6 / 32_767, -0.6 / 32_767, 1.0, 1.5, -1.5], np.float32)
    assert to_int16(samples).tolist() == [0, 1, -1, 32_767, 32_767, -32_767]


def test_lowest_int16_stays_in_range() -> None:
    assert to_float32(np.array([-32_768], np.int16)).tolist() == [-1.0]


def test_track_id_is_the_hash_of_little_endian_pcm() -> None:
    samples = np.array([0.5, -0.25, 1.0], np.float32)
    pcm = b"".join(int(value).to_bytes(2, "little", signed=True) for value in to_int16(samples))
    assert track_id(samples) == hashlib.sha256(pcm).hexdigest()[:16]


def test_track_id_depends_on_every_sample(rng: np.random.Generator) -> None:
    samples = rng.uniform(-0.5, 0.5, 1_000).astype(np.float32)
    other = samples.copy()
    other[500] += 0.01
    assert track_id(samples) != track_id(other)


def test_levels() -> None:
    assert rms_dbfs(np.full(100, 0.1, np.float32)) == pytest.approx(-20.0, abs=1e-5)
    assert rms_dbfs(np.zeros(100, np.float32)) == -120.0
    assert rms_dbfs(np.zeros(0, np.float32)) == -120.0
