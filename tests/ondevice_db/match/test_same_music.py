"""Another encoding of a song in the database is the same answer and does not compete."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ondevice_db.match.explain import explain_match
from ondevice_db.match.match import Ranking
from ondevice_db.match.matcher import Matcher
from ondevice_db.match.same_music import tag_quality
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SETTINGS, build_database, make_codebook, make_track, walk, worsen

N_COPIES = 3


def bare(number: int):  # type: ignore[no-untyped-def]
    """Return a track without tags, as an untagged rip has."""
    return replace(make_track(number), title=str(number), artist="", album="", external_ids={})


@pytest.fixture(scope="module")
def songs() -> list[np.ndarray]:
    rng = np.random.default_rng(41)
    return [walk(rng, 40) for _ in range(30)]


@pytest.fixture(scope="module")
def alone(songs: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_database(tmp_path_factory.mktemp("alone") / "a.npdb", songs)


@pytest.fixture(scope="module")
def copied(songs: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database in which songs 0 to 9 stand with three copies, the last of which begins five seconds later."""
    rng = np.random.default_rng(42)
    path = tmp_path_factory.mktemp("copied") / "a.npdb"
    with DatabaseWriter(path, settings=SETTINGS, codebook=make_codebook(np.concatenate(songs))) as writer:
        for number in range(10):
            for copy in range(N_COPIES):
                rows = worsen(rng, songs[number], 0.15)[5 if copy == N_COPIES - 1 else 0 :]
                writer.add(bare(1000 + N_COPIES * number + copy), rows)
        for number, vectors in enumerate(songs):
            writer.add(make_track(number), vectors)
        writer.finish()
    return path


def answers(path: Path, songs: list[np.ndarray], level: float) -> list[Ranking]:
    rng = np.random.default_rng(43)
    matcher = Matcher(SongDatabase.open(path))
    return [matcher.match(worsen(rng, songs[number][10:18], level), 1.0) for number in range(10)]


def test_copies_do_not_hide_a_song(alone: Path, copied: Path, songs: list[np.ndarray]) -> None:
    for level in (0.6, 1.6):
        without, with_copies = answers(alone, songs, level), answers(copied, songs, level)
        named = sum(match.best is not None for match in without)
        assert named >= 3
        assert sum(match.best is not None for match in with_copies) >= named
    scores = [match.candidates[0].score for match in answers(copied, songs, 0.6)]
    assert min(scores) > 0.9


def test_the_one_with_the_better_tags_is_named_and_the_others_are_listed(copied: Path, songs: list[np.ndarray]) -> None:
    database = SongDatabase.open(copied)
    for number, match in enumerate(answers(copied, songs, 0.3)):
        assert match.best is not None
        assert database.track(match.best.song_index).title == f"Song {number}"
        assert match.best.offset_s == pytest.approx(10.0, abs=0.6)
        also = {database.track(one.song_index).title: one.offset_s for one in match.best.also}
        assert set(also) == {str(1000 + N_COPIES * number + copy) for copy in range(N_COPIES)}
        assert also[str(1002 + N_COPIES * number)] == pytest.approx(5.0, abs=0.6)
        listed = {one.song_index for one in match.candidates[1:]}
        assert not listed & {one.song_index for one in match.best.also}
        assert not {step.runner_up_song for step in match.steps()} & {one.song_index for one in match.best.also}


def test_the_more_popular_copy_is_named_before_the_better_tagged(copied: Path, songs: list[np.ndarray]) -> None:
    database = SongDatabase.open(copied)
    prior = np.zeros(database.song_starts.size - 1)
    prior[1] = 1.0
    match = Matcher(database, log_prior=prior).match(songs[0][10:18], 1.0)
    assert match.best is not None
    assert match.best.song_index == 1


def test_an_explanation_lists_the_copies(copied: Path, songs: list[np.ndarray]) -> None:
    database = SongDatabase.open(copied)
    matcher = Matcher(database)
    table = explain_match(
        matcher.match(songs[2][10:18], 1.0), matcher.acceptance, database, query_start_s=0.0
    ).to_dict()
    assert {one["title"] for one in table["candidates"][0]["also"]} == {"1006", "1007", "1008"}
    assert all(one["also"] == [] for one in table["candidates"][1:])


def test_a_version_that_differs_still_competes(songs: list[np.ndarray], tmp_path: Path) -> None:
    rng = np.random.default_rng(44)
    version = worsen(rng, songs[0], 1.4)
    matcher = Matcher(SongDatabase.open(build_database(tmp_path / "a.npdb", [*songs, version])))
    match = matcher.match(songs[0][10:18], 1.0)
    assert (match.candidates[0].song_index, match.candidates[0].also) == (0, ())
    assert match.candidates[1].song_index == 30


def test_copies_in_another_pack_are_the_same_answer(songs: list[np.ndarray], tmp_path: Path) -> None:
    rng = np.random.default_rng(45)
    first = build_database(tmp_path / "a.npdb", songs)
    codebook = make_codebook(np.concatenate(songs), seed=9)
    with DatabaseWriter(tmp_path / "b.npdb", settings=SETTINGS, codebook=codebook) as writer:
        for number in range(10):
            writer.add(bare(500 + number), worsen(rng, songs[number], 0.1))
        writer.finish()
    matcher = Matcher(open_packs([tmp_path / "b.npdb", first]))
    match = matcher.match(songs[4][10:18], 1.0)
    assert match.best is not None
    assert match.best.song_index == 14
    assert [one.song_index for one in match.best.also] == [4]


def test_tags_that_say_more_count_more() -> None:
    bare_track = replace(make_track(1), title="1", artist="", album="", external_ids={})
    assert tag_quality(bare_track) == 0
    assert tag_quality(make_track(1)) == 6
    assert tag_quality(replace(bare_track, title="Name")) == tag_quality(replace(bare_track, artist="Somebody")) == 2


@pytest.mark.parametrize(
    ("source", "title"), [("rips/a.b.mp3", "a.b"), ("rips\\track", "track"), ("track", "track"), ("a/.mp3", ".mp3")]
)
def test_a_title_that_is_the_files_name_says_nothing(source: str, title: str) -> None:
    assert tag_quality(replace(bare(1), source=source, title=title)) == 0
