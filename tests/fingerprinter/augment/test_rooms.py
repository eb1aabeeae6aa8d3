import numpy as np
import pytest

from fingerprinter.augment.rooms import align, exponential_room, simulate_room, simulated_rooms


def schroeder_t60_s(room: np.ndarray) -> float:
    """Measure T60 from the slope of the backward-integrated energy between -5 and -25 dB."""
    energy = np.cumsum(room[::-1].astype(np.float64) ** 2)[::-1]
    level_db = 10 * np.log10(energy / energy[0] + 1e-12)
    start, end = np.argmax(level_db < -5), np.argmax(level_db < -25)
    return float((end - start) / 16_000 * 60 / (level_db[start] - level_db[end]))


def test_align_puts_the_direct_sound_first():
    room = np.zeros(500)
    room[120], room[200] = -2.0, 1.0
    aligned = align(room, 300)
    assert aligned[0] == pytest.approx(-2 / np.sqrt(5))
    assert aligned[80] == pytest.approx(1 / np.sqrt(5))
    assert np.count_nonzero(aligned) == 2


def test_exponential_rooms_decay(rng):
    for _ in range(20):
        room = exponential_room(rng, 16_384)
        assert room[0] == np.abs(room).max()
        early, late = np.sum(room[:8192] ** 2), np.sum(room[8192:] ** 2)
        assert late < early


def test_simulated_rooms_have_plausible_reverberation(tmp_path):
    pytest.importorskip("pyroomacoustics", reason="the train extra is not installed")
    times_s = [schroeder_t60_s(simulate_room(np.random.default_rng(seed), 16_384)) for seed in range(12)]
    assert min(times_s) > 0.05
    assert max(times_s) < 1.6
    assert max(times_s) - min(times_s) > 0.1
    first = simulated_rooms(2, n_samples=4096, seed=5, cache_dir=tmp_path)
    np.testing.assert_array_equal(first, simulated_rooms(2, n_samples=4096, seed=5, cache_dir=tmp_path))
