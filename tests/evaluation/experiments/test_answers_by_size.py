"""Libraries of other sizes: each song in one of the small ones, real songs with the same numbers in the large one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments.answers_by_size import Answers, Asked
from evaluation.retrieval.conditions import CLEAN
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.library import grow_library
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.store.store import SongDatabase


@pytest.fixture
def data(corpus: Path, tmp_path: Path) -> EvaluationSet:
    """Return seven songs, of which the first two count as the same music, and nine known queries of three."""
    found = build_evaluation_set(
        SHIPPED_FINGERPRINTER, corpus, tmp_path / "cache", n_queries=9, n_unknown=4, n_sounds=3, room_kinds=()
    )
    groups = found.library.groups.copy()
    groups[1] = groups[0]
    return replace(found, library=replace(found.library, groups=groups))


def test_songs_are_dealt_out_and_each_query_is_known_to_one_library_and_unknown_to_the_next(
    data: EvaluationSet, tmp_path: Path
) -> None:
    asked = Asked.small(data, 3, tmp_path / "small", jobs=1)
    assert sorted(np.concatenate(asked.songs)) == list(range(7))
    assert sum({0, 1} <= set(songs.tolist()) for songs in asked.songs) == 1, "the same music stays together"
    own, other = asked.ask("known", CLEAN), asked.ask("masked", CLEAN)
    assert own.is_correct.all()
    assert not other.is_correct.any()
    starts = data.library.song_starts
    sizes = [int((starts[songs + 1] - starts[songs]).sum()) for songs in asked.songs]
    homes = [next(i for i, songs in enumerate(asked.songs) if song in songs) for song in data.true_songs.tolist()]
    assert own.n_searched.tolist() == [sizes[home] for home in homes]
    assert other.n_searched.tolist() == [sizes[(home + 1) % 3] for home in homes]
    assert own.halves.tolist() == data.halves("known", 1).tolist()
    assert not asked.ask("unknown", CLEAN).is_correct.any()


def test_among_distractors_a_song_is_found_and_masked_it_is_not(data: EvaluationSet, tmp_path: Path) -> None:
    asked = Asked.large(data, 64, tmp_path, jobs=1)
    own, masked = asked.ask("known", CLEAN, every=2), asked.ask("masked", CLEAN, every=2)
    assert own.is_correct.tolist() == [True] * 5
    assert not masked.is_correct.any()
    assert (own.n_searched > 10 * data.library.song_starts[-1]).all()


def test_fingerprints_of_a_grown_library_lie_in_a_file_that_nobody_has_to_remove(
    data: EvaluationSet, tmp_path: Path
) -> None:
    folder = tmp_path / "grown"
    folder.mkdir()
    shipped = load_codebook(data.embeddings.fingerprinter.folder.path)
    grown = grow_library(data.library, [data.library.vectors[:3]], 64, folder / "grown.npdb", shipped)
    n_own, n_songs = len(data.library.vectors), data.library.song_starts.size - 1
    assert isinstance(grown.vectors, np.memmap)
    np.testing.assert_array_equal(grown.vectors[:n_own], data.library.vectors)
    np.testing.assert_array_equal(grown.vectors[n_own : n_own + 3], data.library.vectors[:3])
    assert grown.song_starts.size == n_songs + 1 + 64 + 1
    assert grown.song_starts[-1] == len(grown.vectors) == SongDatabase.open(grown.database).manifest.n_fingerprints
    assert [path.name for path in folder.iterdir()] == ["grown.npdb"]


def test_answers_come_back_from_their_file(rng: np.random.Generator, tmp_path: Path) -> None:
    answers = Answers(rng.random((3, 17)), np.array([True, False, True]), np.array([0, 1, 1]), np.array([9, 9, 8]))
    answers.save(tmp_path / "small, known, clean, 8 s.npz")
    found = Answers.load(tmp_path / "small, known, clean, 8 s.npz")
    for name in Answers.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(found, name), getattr(answers, name))
