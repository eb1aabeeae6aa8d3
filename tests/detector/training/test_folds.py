from pathlib import Path

import pytest

from detector.training.config import TrainingConfig
from detector.training.folds import HeldOut, fold_pools, folds_of
from detector.training.pools import SoundPools
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


def test_what_is_held_out_is_one_fold_and_the_rest_is_learned_from() -> None:
    files = [file(f"source {number % 12}", f"title {number}") for number in range(60)]
    held_out = HeldOut(fold=3, n_folds=8)
    left_out, learned = held_out.left_out(files), held_out.learned(files)
    assert left_out == [one for one, fold in zip(files, folds_of(files, 8), strict=True) if fold == 3]
    assert sorted([*left_out, *learned], key=lambda one: one.title) == sorted(files, key=lambda one: one.title)
    assert not {one.source for one in left_out} & {one.source for one in learned}
    assert str(held_out) == "fold 3 of 8"


def test_a_training_and_its_streams_have_no_recording_in_common(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=1.0), cache_dir=tmp_path)
    pools = SoundPools.from_sources(sources, "train", stretched_share=0.5)
    midi = [file("midi", "a.mid")]
    whole = SoundPools(**{**{name: getattr(pools, name) for name in pools.__slots__}, "rendered_midi": midi})
    held_out = HeldOut(fold=1, n_folds=2)
    training, streams = held_out.training_pools(whole), held_out.stream_pools(whole)
    for group in ("music", "noise", "speech", "rooms"):
        one, two = ({file.path for file in getattr(part, group)} for part in (training, streams))
        assert one
        assert two
        assert not one & two
        assert one | two == {file.path for file in getattr(pools, group)}
    assert (training.rendered_midi, training.stretched_share) == (midi, 0.5)
    assert (streams.rendered_midi, streams.stretched_share) == ((), 0.0)
    with pytest.raises(ConfigError, match=r"music: .*fold 2 of 8 on both sides, found 2 recordings"):
        HeldOut(fold=2, n_folds=8).stream_pools(pools)


def test_the_settings_of_a_training_say_what_it_leaves_out() -> None:
    assert HeldOut.of(TrainingConfig()) is None
    assert HeldOut.of(TrainingConfig(held_out_fold=3)) == HeldOut(fold=3, n_folds=8)
    with pytest.raises(ConfigError, match="held_out_fold"):
        TrainingConfig(held_out_fold=8)
    with pytest.raises(ConfigError, match="held_out_of"):
        TrainingConfig(held_out_of=1)


@pytest.mark.parametrize(("fold", "n_folds"), [(-1, 8), (8, 8), (0, 1)])
def test_a_fold_that_is_none_is_refused(fold: int, n_folds: int) -> None:
    with pytest.raises(ConfigError, match=f"found {fold} of {n_folds}"):
        HeldOut(fold=fold, n_folds=n_folds)
