import numpy as np
import pytest

from fingerprinter.augment.rooms import simulate_room, simulated_rooms, stack_rooms


def schroeder_t60_s(room: np.ndarray) -> float:
    """Measure T60 from the slope of the backward-integrated energy between -5 and -25 dB."""
    energy = np.cumsum(room[::-1].astype(np.float64) ** 2)[::-1]
    level_db = 10 * np.log10(energy / energy[0] + 1e-12)
    start, end = np.argmax(level_db < -5), np.argmax(level_db < -25)
    return float((end - start) / 16_000 * 60 / (level_db[start] - level_db[end]))


def test_measured_rooms_are_padded_to_one_length():
    rooms = [np.array([0.1, 2.0, 0.0]), np.array([0.0, 0.0, 0.0, -3.0, 4.0, 0.0, 0.0, 0.0])]
    np.testing.assert_allclose(stack_rooms(rooms, 3), [[1, 0, 0], [1, 0, 0]], atol=1e-6)
    assert stack_rooms([], 3).shape == (0, 3)


def test_simulated_rooms_have_plausible_reverberation(tmp_path):
    pytest.importorskip("pyroomacoustics", reason="the train extra is not installed")
    times_s = [schroeder_t60_s(simulate_room(np.random.default_rng(seed), 16_384)) for seed in range(12)]
    assert min(times_s) > 0.05
    assert max(times_s) < 1.6
    assert max(times_s) - min(times_s) > 0.1
    first = simulated_rooms(2, n_samples=4096, seed=5, cache_dir=tmp_path)
    np.testing.assert_array_equal(first, simulated_rooms(2, n_samples=4096, seed=5, cache_dir=tmp_path))
