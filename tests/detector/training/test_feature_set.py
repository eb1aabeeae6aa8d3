from pathlib import Path

import numpy as np

from detector.training.config import SceneConfig
from detector.training.feature_set import build_features
from detector.training.pools import SoundPools
from nowplaying_core.audio.sources import TrainingSources
from tests.detector.sounds import corpus_folder

CONFIG = SceneConfig(duration_s=15.0)


def test_features_are_cached_continued_and_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path / "corpus", seconds=6.0)
    pools = SoundPools.from_sources(TrainingSources(corpus=root, cache_dir=tmp_path / "pcm"), "train")
    first = build_features([pools], CONFIG, n_scenes=3, seed=1, folder=tmp_path / "one")
    (shard,) = (tmp_path / "one").glob("shard-*.npz")
    written = shard.stat().st_mtime_ns
    again = build_features([pools], CONFIG, n_scenes=3, seed=1, folder=tmp_path / "one")
    assert shard.stat().st_mtime_ns == written
    assert np.array_equal(first.frames, again.frames)
    two = build_features([pools], CONFIG, n_scenes=3, seed=1, folder=tmp_path / "two", jobs=2)
    assert np.array_equal(first.frames, two.frames)
    assert np.array_equal(first.music, two.music)
    other = build_features([pools], CONFIG, n_scenes=3, seed=2, folder=tmp_path / "one")
    assert not np.array_equal(first.frames, other.frames)


def test_scenes_of_folds_come_from_their_own_recordings(tmp_path: Path) -> None:
    root = corpus_folder(tmp_path / "corpus", seconds=6.0)
    pools = [
        SoundPools.from_sources(TrainingSources(corpus=root, cache_dir=tmp_path / "pcm"), split)
        for split in ("train", "dev")
    ]
    mixed = build_features(pools, CONFIG, n_scenes=3, seed=1, folder=tmp_path / "mixed")
    first = build_features(pools[:1], CONFIG, n_scenes=3, seed=1, folder=tmp_path / "first")
    same = [np.array_equal(mixed.frames[number], first.frames[number]) for number in range(3)]
    assert same == [True, False, True]
    assert np.array_equal(mixed.chosen(np.array([False, True, False])).frames[0], mixed.frames[1])
