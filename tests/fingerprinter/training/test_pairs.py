import numpy as np
import pytest

from fingerprinter.augment.chain import Augmenter
from fingerprinter.augment.config import AugmentConfig
from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import Recordings
from nowplaying_core.errors import ConfigError

PAST, WINDOW = 1024, 4096


def ramp(start: int, length: int) -> np.ndarray:
    return np.arange(start, start + length, dtype=np.int16)


def test_cut_pads_with_zeros_and_never_reads_the_neighbour():
    recordings = Recordings.join([ramp(1, 100), ramp(1000, 50)])
    part = recordings.cut(0, 90, 30) * 32767
    np.testing.assert_allclose(part[:10], np.arange(91, 101), rtol=1e-5)
    np.testing.assert_array_equal(part[10:], 0)
    np.testing.assert_array_equal(recordings.cut(1, -5, 5), 0)


def test_loop_repeats_short_recordings(rng):
    recordings = Recordings.join([ramp(1, 7)])
    part = np.rint(recordings.loop(20, rng) * 32767).astype(int)
    assert set(part) == set(range(1, 8))
    np.testing.assert_array_equal(part[:13], part[7:])


def test_join_refuses_nothing_to_join():
    with pytest.raises(ConfigError, match="at least 50 samples"):
        Recordings.join([ramp(0, 10)], min_samples=50)


def test_pairs_share_their_place_and_are_reproducible(rng):
    music = Recordings.join([(rng.standard_normal(30_000) * 3000).astype(np.int16) for _ in range(5)])
    clean = AugmentConfig(
        p_noise=0, p_room=0, p_speaker=0, p_microphone=0, p_clip=0, p_mulaw=0, p_gap=0, level_dbfs=(-20, -20)
    )
    empty = np.zeros((0, PAST), np.float32)
    augmenter = Augmenter(clean, measured_rooms=empty, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW)
    sampler = PairSampler([(music, 1.0)], [(music, 1.0)], augmenter, max_shift_s=0.05)
    batch, songs = sampler.draw(8, np.random.default_rng(1))
    assert batch.shape == (16, WINDOW)
    for row in range(8):
        # The lag of the strongest correlation is the drawn shift, at most 0.05 s.
        correlation = np.correlate(batch[row], batch[row + 8], "full")
        lag = int(np.argmax(np.abs(correlation))) - (WINDOW - 1)
        assert abs(lag) <= 800
        assert np.abs(correlation).max() > 20 * np.median(np.abs(correlation))
    again, same_songs = sampler.draw(8, np.random.default_rng(1))
    np.testing.assert_array_equal(batch, again)
    np.testing.assert_array_equal(songs, same_songs)


def test_songs_are_numbered_through_all_groups(rng):
    recordings = [Recordings.join([ramp(1 + 100 * number, 5000)] * 3) for number in range(2)]
    empty = np.zeros((0, PAST), np.float32)
    chain = Augmenter(
        AugmentConfig(), measured_rooms=empty, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW
    )
    sampler = PairSampler([(item, 0.5) for item in recordings], [(recordings[0], 1.0)], chain, max_shift_s=0)
    _, songs = sampler.draw(64, rng)
    np.testing.assert_array_equal(songs[:64], songs[64:])
    assert set(songs) == set(range(6))


def test_babble_is_several_voices_at_unit_level(rng):
    voice = Recordings.join([(rng.standard_normal(9000) * 3000).astype(np.int16) for _ in range(4)])
    silence = Recordings.join([np.zeros(9000, np.int16)])
    empty = np.zeros((0, PAST), np.float32)
    chain = Augmenter(
        AugmentConfig(), measured_rooms=empty, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW
    )
    sampler = PairSampler([(voice, 1.0)], [(silence, 1.0)], chain, max_shift_s=0, babble=voice, babble_share=1.0)
    for _ in range(5):
        noise = sampler.draw_noise(5000, rng)
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_neighbors_is_obeyed(rng, share):
    recordings = Recordings.join([ramp(1, 5000)] * 1000)
    empty = np.zeros((0, PAST), np.float32)
    chain = Augmenter(
        AugmentConfig(), measured_rooms=empty, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW
    )
    sampler = PairSampler([(recordings, 1.0)], [(recordings, 1.0)], chain, max_shift_s=0, neighbors_share=share)
    _, songs = sampler.draw(64, rng)
    assert (len(set(songs)) > 55) if share == 0 else (len(set(songs)) == 1)


def test_a_broadcast_mixes_music_with_something_quieter(rng):
    music = Recordings.join([(rng.standard_normal(30_000) * 3000).astype(np.int16) for _ in range(6)])
    voice = Recordings.join([np.full(30_000, 3000, np.int16)])
    clean = AugmentConfig(p_noise=0, p_room=0, p_speaker=0, p_microphone=0, p_clip=0, p_mulaw=0, p_gap=0)
    empty = np.zeros((0, PAST), np.float32)
    chain = Augmenter(clean, measured_rooms=empty, simulated_rooms=empty, past_samples=PAST, window_samples=WINDOW)
    shares = []
    for share in (0.0, 1.0):
        sampler = PairSampler([(music, 1.0)], [(music, 1.0)], chain, max_shift_s=0, babble=voice, mixed_share=share)
        batch, _ = sampler.draw(64, np.random.default_rng(1))
        kept = [float(np.corrcoef(batch[row], batch[row + 64])[0, 1]) for row in range(64)]
        voiced = [abs(float(row.mean())) / float(row.std()) for row in batch[64:]]
        shares.append((min(kept), float(np.mean(np.array(voiced) > 0.1))))
    (alone, none), (mixed, voiced_share) = shares
    assert (alone, none) == (pytest.approx(1.0, abs=1e-4), 0.0)
    assert 0.4 < mixed < 0.95
    assert 0.3 < voiced_share < 0.7
