"""Committed databases open, answer and can be changed.

``python -m tests.ondevice_db.make_fixtures`` writes them again, which only a change of the format calls for.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation.endurance.trials import trial_song, trial_track
from nowplaying_core.errors import UnsupportedVersionError
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import roll_back
from ondevice_db.verify import verify_database
from tests.ondevice_db.make_fixtures import COMMITTED, FIXTURES
from tests.ondevice_db.tampering import set_field


@pytest.fixture(params=sorted(COMMITTED))
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copy(layout: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(COMMITTED[layout], tmp_path / f"{layout}.npdb"))


def test_it_opens_and_is_whole(layout: str) -> None:
    report = verify_database(COMMITTED[layout])
    assert (report.n_songs, report.n_found) == (11, 11)
    tracks = dict(SongDatabase.open(COMMITTED[layout]).songs)
    assert sorted(tracks) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert (tracks[2].title, tracks[2].album) == ("Früher, 昔", "Then")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (1, "unreleased version; index the music again"),
        (3, "unreleased version; index the music again"),
        (5, "newer than 4"),
    ],
)
def test_only_this_schema_is_read(copy: Path, version: int, reason: str) -> None:
    set_field(copy, version, "schema_version")
    with pytest.raises(UnsupportedVersionError, match=reason):
        SongDatabase.open(copy)


def test_it_answers_as_it_did(layout: str) -> None:
    database = SongDatabase.open(COMMITTED[layout])
    expected = json.loads((FIXTURES / "expected.json").read_text())[layout]
    queries = np.load(FIXTURES / "queries.npy")
    for query, answer in zip(queries[:4], expected[:4], strict=True):
        best = Matcher(database).match(query, 1.0).candidates[0]
        assert database.track(best.song_index).title == answer["title"]
        assert best.song_index == answer["song_index"]
        assert best.offset_s == pytest.approx(answer["offset_s"], abs=0.01)
        assert best.raw_score == pytest.approx(answer["raw_score"], abs=0.001)


def test_songs_can_be_added(copy: Path) -> None:
    with DatabaseWriter.extend(copy) as writer:
        assert writer.add(trial_track(30), trial_song(30)) == 12
        writer.finish()
    assert verify_database(copy).n_found == 12
    assert roll_back(copy).generation == 3


def test_its_version_before_can_be_rolled_back_to(copy: Path) -> None:
    assert roll_back(copy).generation == 2
    assert SongDatabase.open(copy).track(2).title == "Song 2"


def test_its_signature_passes() -> None:
    pytest.importorskip("cryptography", reason="needs the sign extra")
    from ondevice_db.update.signature import check_database_signature

    check_database_signature(FIXTURES / "pq.npdb", FIXTURES / "publisher.pem")
