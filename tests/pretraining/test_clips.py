from collections.abc import Sequence

import numpy as np
import pytest

from fingerprinter.augment.chain import Augmenter
from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import Recordings
from pretraining.clips import ClipSampler
from tests.pretraining.material import small_config

WINDOW = small_config("random").front_end.window_samples


def sampler(*recordings: np.ndarray) -> ClipSampler:
    return sampler_of_groups((recordings, 1.0))


def sampler_of_groups(*groups: tuple[Sequence[np.ndarray], float]) -> ClipSampler:
    none = np.zeros((0, 800), np.float32)
    augmenter = Augmenter(
        small_config("random").augment,
        measured_rooms=none,
        simulated_rooms=none,
        past_samples=800,
        window_samples=WINDOW,
    )
    joined = [(Recordings.join(recordings), share) for recordings, share in groups]
    return ClipSampler(PairSampler(joined, joined, augmenter, max_shift_s=0.0))


def ramp(n_samples: int) -> np.ndarray:
    """Samples that tell where they come from."""
    return (1000 + np.arange(n_samples) // 4).astype(np.int16)


def starts(slices: np.ndarray) -> np.ndarray:
    return np.rint(slices[..., 0] * 32_767) * 4


def test_slices_lie_as_far_apart_as_asked(rng: np.random.Generator) -> None:
    offsets = np.array([[0, 400, 12_000], [8_000, 0, 4]])
    found = starts(sampler(ramp(60_000)).slices(offsets, rng))
    np.testing.assert_allclose(found - found[:, :1], offsets - offsets[:, :1], atol=4)
    assert found.shape == (2, 3)


def test_a_clip_that_is_too_short_or_silent_is_drawn_again(rng: np.random.Generator) -> None:
    silent = np.zeros(60_000, np.int16)
    slices = sampler(ramp(WINDOW), silent, ramp(60_000)).slices(np.tile([0, 20_000], (30, 1)), rng)
    assert np.all(np.abs(slices).max(axis=2) > 0)


def test_when_nothing_is_long_enough_zeros_follow_the_end(rng: np.random.Generator) -> None:
    slices = sampler(ramp(WINDOW)).slices(np.array([[0, WINDOW]]), rng)
    assert np.all(slices[0, 0] > 0)
    assert np.all(slices[0, 1] == 0)


def test_groups_keep_their_shares_however_many_of_their_recordings_are_too_short(rng: np.random.Generator) -> None:
    long, other = np.full(60_000, 8_000, np.int16), np.full(60_000, 16_000, np.int16)
    short = [np.full(WINDOW, 16_000, np.int16)] * 30
    drawn = sampler_of_groups(([long], 0.5), ([*short, other], 0.5)).slices(np.tile([0, 20_000], (400, 1)), rng)
    assert np.all(np.abs(drawn) > 0), "nothing is too short"
    assert 0.4 < np.mean(drawn[:, 0, 0] > 0.4) < 0.6


def test_a_group_without_a_long_recording_leaves_its_share_to_the_others(rng: np.random.Generator) -> None:
    long, short = np.full(60_000, 8_000, np.int16), np.full(WINDOW, 16_000, np.int16)
    drawn = sampler_of_groups(([long], 0.1), ([short], 0.9)).slices(np.tile([0, 20_000], (50, 1)), rng)
    assert np.all((drawn > 0.2) & (drawn < 0.3))


def test_only_the_named_slices_are_degraded(clips: ClipSampler, rng: np.random.Generator) -> None:
    slices = clips.slices(np.zeros((8, 2), np.int64), rng, degraded=(1,))
    clean = clips.slices(np.zeros((8, 2), np.int64), rng)
    np.testing.assert_array_equal(clean[:, 0], clean[:, 1])
    assert all(not np.allclose(a, b, atol=1e-3) for a, b in slices)
    correlation = [abs(np.corrcoef(np.abs(np.fft.rfft(a)), np.abs(np.fft.rfft(b)))[0, 1]) for a, b in slices]
    assert np.median(correlation) > 0.3, "a degraded slice is still of the same sound"


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_draws_the_same(clips: ClipSampler, seed: int) -> None:
    first, second = (
        clips.slices(np.zeros((3, 2), np.int64), np.random.default_rng(seed), degraded=(1,)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
