import json
from dataclasses import replace
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


def test_features_of_as_many_other_recordings_are_made_anew(tmp_path: Path) -> None:
    root, folder = corpus_folder(tmp_path / "corpus", seconds=6.0), tmp_path / "features"
    sources = TrainingSources(corpus=root, cache_dir=tmp_path / "pcm")
    train, dev = (SoundPools.from_sources(sources, split) for split in ("train", "dev"))
    pools, other = replace(train, music=train.music[:1]), replace(train, music=dev.music[:1])
    first = build_features([pools], CONFIG, n_scenes=3, seed=1, folder=folder)
    (folder / "encoder-space-3.npy").write_bytes(b"embeddings of these scenes")
    changed = build_features([other], CONFIG, n_scenes=3, seed=1, folder=folder)
    assert not np.array_equal(first.frames, changed.frames)
    assert not list(folder.glob("encoder-*"))
    record = json.loads((folder / "scenes.json").read_text())
    del record["recordings"]  # as an earlier version left it
    (folder / "scenes.json").write_text(json.dumps(record))
    (shard,) = folder.glob("shard-*.npz")
    written = shard.stat().st_mtime_ns
    build_features([other], CONFIG, n_scenes=3, seed=1, folder=folder)
    assert shard.stat().st_mtime_ns == written


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
