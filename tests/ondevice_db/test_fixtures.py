"""Databases of schema 1 as they were first written open for ever, and can still be changed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation.endurance.trials import trial_song, trial_track
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import roll_back
from ondevice_db.verify import verify_database

V1 = Path(__file__).parent / "fixtures" / "v1"


@pytest.fixture(params=["pq", "flat"])
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copy(layout: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(V1 / f"{layout}.npdb", tmp_path / f"{layout}.npdb"))


def test_it_opens_and_is_whole(layout: str) -> None:
    report = verify_database(V1 / f"{layout}.npdb")
    assert (report.n_songs, report.n_found) == (11, 11)
    tracks = dict(SongDatabase.open(V1 / f"{layout}.npdb").songs)
    assert sorted(tracks) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert (tracks[2].title, tracks[2].album) == ("Früher, 昔", "Then")


def test_it_answers_as_it_did(layout: str) -> None:
    database = SongDatabase.open(V1 / f"{layout}.npdb")
    expected = json.loads((V1 / "expected.json").read_text())[layout]
    queries = np.load(V1 / "queries.npy")
    for query, answer in zip(queries[:4], expected[:4], strict=True):
        best = Matcher(database).match(query, 1.0).candidates[0]
        assert database.track(best.song_index).title == answer["title"]
        assert best.offset_s == pytest.approx(answer["offset_s"], abs=0.1)


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

    check_database_signature(V1 / "pq.npdb", V1 / "publisher.pem")
