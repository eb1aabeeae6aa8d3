from pathlib import Path

import pytest

from detector.training.pools import SoundPools
from evaluation.detector.folds import fold_pools, folds_of
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder


def file(source: str, title: str) -> CorpusFile:
    return CorpusFile(path=Path(title), split=None, label="", source=source, licence="", title=title)


def test_a_source_stays_together_and_folds_are_alike_in_size() -> None:
    files = [file(f"source {number % 12}", f"title {number}") for number in range(60)]
    folds = folds_of(files, 4)
    assert sorted(folds.count(fold) for fold in range(4)) == [15, 15, 15, 15]
    for number, one in enumerate(files):
        assert {folds[other] for other in range(60) if files[other].source == one.source} == {folds[number]}


def test_a_collection_is_parted_by_original_recording() -> None:
    clips = [file("collection", f"all - 1-{number // 3}-{'ABC'[number % 3]}") for number in range(60)]
    folds = folds_of([*clips, file("other", "x")], 5)
    assert len(set(folds)) == 5
    for first in range(0, 60, 3):
        assert len(set(folds[first : first + 3])) == 1


def test_folds_are_the_same_whenever_they_are_made() -> None:
    files = [file(f"s{number % 7}", f"t{number}") for number in range(30)]
    assert folds_of(files, 3) == folds_of(files, 3)


def test_pools_share_out_every_recording_once(tmp_path: Path) -> None:
    pools = SoundPools.from_sources(
        TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=1.0), cache_dir=tmp_path), None
    )
    folds = fold_pools(pools, 2)
    for group in ("music", "noise", "speech"):
        parts = [{one.path for one in getattr(fold, group)} for fold in folds]
        assert parts[0] | parts[1] == {one.path for one in getattr(pools, group)}
        assert not parts[0] & parts[1]
    assert folds[0].rooms == folds[1].rooms == pools.rooms
    with pytest.raises(ConfigError, match="fewer folds"):
        fold_pools(pools, 5)
