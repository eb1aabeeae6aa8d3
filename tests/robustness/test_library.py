"""Music libraries that change: corrected tags, moved files, files that were encoded again."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.errors import DatabaseError
from ondevice_db.ingest import ingest
from ondevice_db.store.changes import describe_track
from ondevice_db.store.store import SongDatabase

from .conftest import IndexRun as Run
from .sounds import SAMPLE_RATE_HZ, music, wav


# Point 17: tags and places that change.
def tagged(path: Path, title: str) -> Path:
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
        file.title = title
        file.write(music(1, 8.0))
    return path


def test_files_that_are_in_already_are_counted_and_not_listed(index_run: Run, folder: Path, tmp_path: Path) -> None:
    index_run([folder], tmp_path / "a.npdb")
    report = index_run([folder], tmp_path / "a.npdb", add=True)
    assert (report.added, report.skipped, report.n_unchanged, report.n_updated) == ([], [], 3, 0)
    assert "3 already in the database" in str(report)


def test_tags_are_read_again_when_asked_for(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Wrnog")
    index_run([path], tmp_path / "a.npdb")
    tagged(path, "Right")
    report = index_run([path], tmp_path / "a.npdb", add=True)
    assert (report.n_unchanged, report.n_updated) == (1, 0)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).title == "Wrnog"
    report = index_run([path], tmp_path / "a.npdb", add=True, update_tags=True)
    assert (report.n_unchanged, report.n_updated) == (1, 1)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).title == "Right"


def test_a_moved_file_is_found_at_its_new_place(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Name")
    index_run([path], tmp_path / "a.npdb")
    moved = path.rename(tmp_path / "b.flac")
    report = index_run([moved], tmp_path / "a.npdb", add=True)
    assert (report.skipped, report.n_unchanged, report.n_updated) == ([], 1, 1)
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert (track.title, track.source) == ("Name", str(moved))


def test_a_copy_does_not_take_the_place_of_the_original(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Name")
    index_run([path], tmp_path / "a.npdb")
    copy = Path(shutil.copy(path, tmp_path / "b.flac"))
    report = index_run([copy], tmp_path / "a.npdb", add=True, update_tags=True)
    assert report.skipped == [(copy, str(path))]
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).source == str(path)


def test_a_relative_name_means_the_same_file_from_every_folder(
    index_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path, database = Path("../music/a.flac"), Path("../a.npdb")
    tagged(path, "Name")
    index_run([path], database)
    monkeypatch.chdir(tmp_path / "music")
    copy = Path(shutil.copy("a.flac", "b.flac"))
    report = index_run([copy], database, add=True, update_tags=True)
    assert report.skipped == [(copy, "music/a.flac")]
    for again in (Path("a.flac"), Path("a.flac").absolute()):
        tagged(again, f"From {again}")
        report = index_run([again], database, add=True, update_tags=True)
        assert (report.added, report.skipped, report.n_unchanged, report.n_updated) == ([], [], 1, 1)
        assert SongDatabase.open(database).track(0).title == f"From {again}"


def test_a_source_too_long_for_a_path_is_gone(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Name")
    index_run([path], tmp_path / "a.npdb")
    describe_track(tmp_path / "a.npdb", SongDatabase.open(tmp_path / "a.npdb").track(0).track_id, {"source": "a" * 500})
    assert index_run([path], tmp_path / "a.npdb", add=True).n_updated == 1
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).source == str(path)


def test_tags_follow_a_file_that_was_encoded_again(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Old")
    index_run([path], tmp_path / "a.npdb")
    before = SongDatabase.open(tmp_path / "a.npdb").track(0)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
        file.title = "New"
        file.write(music(1, 8.0) + 1e-4 * np.random.default_rng(1).standard_normal(8 * SAMPLE_RATE_HZ))
    report = index_run([path], tmp_path / "a.npdb", add=True, update_tags=True)
    assert (report.added, report.n_unchanged, report.n_updated) == ([], 1, 1)
    songs = SongDatabase.open(tmp_path / "a.npdb")
    assert (songs.n_songs, songs.track(0).title, songs.track(0).track_id) == (1, "New", before.track_id)


def test_another_song_under_the_same_name_is_a_song_of_its_own(index_run: Run, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", music(1, 8.0))
    index_run([path], tmp_path / "a.npdb")
    wav(path, music(2, 8.0))
    report = index_run([path], tmp_path / "a.npdb", add=True, update_tags=True)
    assert (len(report.added), report.n_updated) == (1, 0)
    assert SongDatabase.open(tmp_path / "a.npdb").n_songs == 2


def test_a_file_with_a_name_in_latin_1_is_the_same_file_next_time(index_run: Run, tmp_path: Path) -> None:
    latin = os.fsdecode(b"caf\xe9.wav")
    (tmp_path / "music").mkdir()
    wav(tmp_path / "a.wav", music(0, 8.0)).rename(tmp_path / "music" / latin)
    index_run([tmp_path / "music"], tmp_path / "a.npdb")
    for update_tags in (False, True):
        report = index_run([tmp_path / "music"], tmp_path / "a.npdb", add=True, update_tags=update_tags)
        assert (report.skipped, report.n_unchanged, report.n_updated) == ([], 1, 0)
    shutil.copy(tmp_path / "music" / latin, tmp_path / "music" / "b.wav")
    report = index_run([tmp_path / "music"], tmp_path / "a.npdb", add=True)
    assert (len(report.skipped), report.n_unchanged, report.n_updated) == (1, 1, 0)


def test_a_title_that_is_too_long_is_cut_once(index_run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "long " * 300)
    index_run([path], tmp_path / "a.npdb")
    report = index_run([path], tmp_path / "a.npdb", add=True, update_tags=True)
    assert (report.n_unchanged, report.n_updated) == (1, 0)


def test_a_database_under_a_folder_in_latin_1(index_run: Run, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    index_run([folder], place / "a.npdb")
    report = index_run([folder], place / "a.npdb", add=True)
    assert report.n_unchanged == 3
    assert SongDatabase.open(place / "a.npdb").n_songs == 3


def test_a_database_that_cannot_be_written_is_refused_before_the_work(
    index_run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_run([folder / "0.wav"], tmp_path / "a.npdb")

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ingest.tempfile, "TemporaryFile", refuse)  # root may write everywhere
    with pytest.raises(DatabaseError, match="cannot be written \\(Permission denied\\); check the permissions"):
        index_run([folder], tmp_path / "a.npdb", add=True)
    assert not (tmp_path / "a.npdb.partial").exists()
