import numpy as np
import pytest

from detector.training.config import DetectorConfig, TrainingConfig
from detector.training.feature_set import FeatureSet
from detector.training.window_sampler import WindowSampler
from nowplaying_core.errors import ConfigError


def made_features() -> FeatureSet:
    """Frames hold their own number, music lasts from frame 1000 on in the even scenes."""
    n_scenes, n_frames = 6, 2_000
    frames = np.broadcast_to((np.arange(n_frames) // 10 % 100).astype(np.int8)[None, :, None], (n_scenes, n_frames, 40))
    music = np.zeros((n_scenes, n_frames), dtype=np.uint8)
    music[::2, 1_000:] = 1
    return FeatureSet(frames.copy(), music)


def settings(**changes: float) -> DetectorConfig:
    plain = {"n_decisions": 3, "music_fraction": 0.4, "cold_share": 0.0}
    return DetectorConfig(training=TrainingConfig(**{**plain, **changes}))


def sampler(cold_share: float = 0.0, fraction: float = 0.4) -> WindowSampler:
    return WindowSampler(made_features(), settings(cold_share=cold_share, music_fraction=fraction))


def test_segments_labels_and_weights_belong_together() -> None:
    segments, labels, weights = sampler().batch(40, np.random.default_rng(1))
    assert segments.shape == (40, 446 + 128, 40)
    assert labels.shape == weights.shape == (40, 3)
    assert labels[::2].sum() == 0, "every other segment is without music"
    assert (labels[1::2].max(axis=1) == 1).all()
    assert set(np.unique(labels)) <= {0.0, 1.0}
    # A window with some music, but less than the fraction, counts for neither class.
    assert (weights[labels == 1] == 1).all()
    assert (weights == 0).any()


def test_inaudible_music_belongs_to_neither_class() -> None:
    features = made_features()
    masked = FeatureSet(features.frames, features.music * 2)
    masked.music[0, 1_000:] = 1
    cut = WindowSampler(masked, settings())
    table_of_positives = cut._tables[1, False]
    table_of_negatives = cut._tables[0, False]
    assert set(table_of_positives[:, 0]) == {0}
    assert all(scene % 2 or start < 600 for scene, start in table_of_negatives)


def test_cold_segments_start_at_the_reset() -> None:
    segments, _, _ = sampler(cold_share=1.0).batch(10, np.random.default_rng(1))
    assert (segments[::2, 0, 0] == 0).all()


def test_draws_are_repeatable_and_augmentation_changes_them() -> None:
    first, *_ = sampler().batch(8, np.random.default_rng(5))
    again, *_ = sampler().batch(8, np.random.default_rng(5))
    changed, *_ = sampler().batch(8, np.random.default_rng(5), augmented=True)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, changed)


def test_scenes_too_short_for_a_segment_are_refused() -> None:
    short = FeatureSet(np.zeros((1, 600, 40), dtype=np.int8), np.zeros((1, 600), dtype=np.uint8))
    with pytest.raises(ConfigError, match="too short"):
        WindowSampler(short, settings(n_decisions=8))


def test_extreme_segments_are_no_music_and_reach_both_ends() -> None:
    cut = WindowSampler(made_features(), settings(extreme_share=0.5))
    segments, labels, weights = cut.batch(60, np.random.default_rng(1))
    assert labels[::2].sum() == 0
    assert (weights[::2] == 1).all()
    assert {int(segments[row].min()) for row in range(0, 60, 2)} >= {-128}
    assert max(int(segments[row].max()) for row in range(0, 60, 2)) == 127
    plain, *_ = sampler().batch(60, np.random.default_rng(1))
    assert set(np.unique(segments[1::2])) <= set(np.unique(plain)), "music is never replaced"


def test_mining_finds_the_worst_windows_and_batches_hold_them() -> None:
    cut = WindowSampler(made_features(), settings(mined_share=1.0))
    logits = np.zeros((6, (2_000 - 446) // 64 + 1), dtype=np.float32)
    logits[3, 12] = 5.0  # frames 768 to 1213 of a scene without music, taken for music
    logits[2, 20] = -5.0  # frames 1280 to 1725 of a scene with music, taken for none
    logits[0, 2] = 9.0  # within the pre-roll, where nothing is cut
    cut.mine(logits, hardest=0.02)
    assert (cut.hard_examples[0][-1] == (3, 768)).all()
    assert (cut.hard_examples[1][-1] == (2, 1_280)).all()
    cut.hard_examples = {label: table[-1:] for label, table in cut.hard_examples.items()}
    segments, labels, _ = cut.batch(20, np.random.default_rng(1))
    assert labels[::2].sum() == 0
    assert (labels[1::2].max(axis=1) == 1).all()
    # Frames hold their number in tens, modulo 100: each segment holds the window, or all but a little of it.
    for row in range(0, 20, 2):
        assert {80, 99, 10, 118 - 100} <= set(segments[row, :, 0].tolist())


def test_mining_leaves_out_an_answer_to_less_than_a_window() -> None:
    logits = np.zeros((6, (2_000 - 446) // 64 + 1), dtype=np.float32)
    logits[3, 12] = 5.0
    one_more = np.concatenate([logits, np.full((6, 1), 9.0, dtype=np.float32)], axis=1)
    found = []
    for table in (logits, one_more):
        cut = WindowSampler(made_features(), settings(mined_share=1.0))
        cut.mine(table, hardest=0.02)
        found.append(cut.hard_examples)
    assert all(np.array_equal(found[0][label], found[1][label]) for label in (0, 1))
