"""The last good version: kept by every change, a rename away, and gone with the next change."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from nowplaying_core.errors import CorruptArtifactError, DatabaseError
from ondevice_db.index import flat
from ondevice_db.store.changes import describe_track, remove_tracks
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import clear_leftovers, copy_current, last_good, roll_back
from tests.ondevice_db.material import make_track, named_files


def contents(database: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in database.iterdir()}


def remove(database: Path, *numbers: int) -> None:
    remove_tracks(database, [make_track(number).track_id for number in numbers])


def test_rolling_back_restores_every_byte(copy: Path) -> None:
    before = contents(copy)
    remove(copy, 3, 4)
    assert last_good(copy) is not None
    assert roll_back(copy).n_songs == 40
    assert contents(copy) == before
    with pytest.raises(DatabaseError, match="nothing to roll back"):
        roll_back(copy)


def test_one_version_is_kept(copy: Path) -> None:
    for number in range(4):
        remove(copy, number)
        assert {path.name for path in copy.iterdir()} == named_files(copy)
    assert roll_back(copy).n_songs == 37
    remove(copy, 30)
    assert SongDatabase.open(copy).n_songs == 36
    assert roll_back(copy).n_songs == 37


@pytest.mark.parametrize("damage", ["manifest", "data", "missing"])
def test_a_damaged_version_is_left_behind(copy: Path, damage: str) -> None:
    before = contents(copy)
    remove(copy, 5)
    if damage == "manifest":
        (copy / "manifest.json").write_text("{")
    else:
        (songs,) = copy.glob("songs-2*")
        songs.unlink() if damage == "missing" else songs.write_bytes(b"x" * songs.stat().st_size)
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(copy)
    roll_back(copy)
    assert contents(copy) == before


def test_a_damaged_last_good_version_is_not_taken(copy: Path) -> None:
    remove(copy, 5)
    (songs,) = copy.glob("songs-1*")
    songs.write_bytes(b"x" * songs.stat().st_size)
    before = contents(copy)
    with pytest.raises(CorruptArtifactError, match="songs-1"):
        roll_back(copy)
    assert contents(copy) == before


def test_what_is_no_database_cannot_roll_back(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="expected a database folder"):
        roll_back(tmp_path / "missing.npdb")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_go_and_other_files_stay(copy: Path) -> None:
    remove(copy, 5)
    kept = contents(copy)
    for name in ("songs-9.sqlite", "codes-3.npy", "manifest-2.json", "manifest-7.json", "manifest-9.sig"):
        (copy / name).write_text("left over")
    (copy / ".manifest.json.123.tmp").write_text("{")
    (copy / "README.txt").write_text("mine")
    (copy / "codes-99.npy").mkdir()
    clear_leftovers(copy)
    (copy / "codes-99.npy").rmdir()  # a folder was put there by hand
    assert contents(copy) == {**kept, "README.txt": b"mine"}


def test_a_database_named_alike_keeps_what_is_being_written(tmp_path: Path) -> None:
    for name in (".music.12.tmp", ".music.old.34.tmp"):
        (tmp_path / name).mkdir()
    clear_leftovers(tmp_path / "music")
    assert [path.name for path in tmp_path.iterdir()] == [".music.old.34.tmp"]


def test_an_opened_version_outlives_its_files(copy: Path) -> None:
    """A phone that listens all day sees its database changed more than once, and rolled back."""
    first = SongDatabase.open(copy)
    remove(copy, 1)
    second = SongDatabase.open(copy)
    roll_back(copy)
    describe_track(copy, make_track(2).track_id, {"title": "Other"})
    remove(copy, 2)
    for opened in (first, second):
        assert opened.track(2) == make_track(2)
        assert [index for index, _ in opened.songs][-1] == 39
    assert first.find(make_track(1).track_id) == 1
    assert second.find(make_track(1).track_id) is None


def test_a_version_that_goes_while_it_is_opened_makes_room_for_the_next(
    flat_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, open_vectors = Path(shutil.copytree(flat_database, tmp_path / "copy.npdb")), flat.open_array

    def with_changes(*arguments: Any) -> Any:
        monkeypatch.setattr(flat, "open_array", open_vectors)
        opened = open_vectors(*arguments)
        for number in (1, 2):  # after two changes the files of this version are gone
            remove(copy, number)
        return opened

    monkeypatch.setattr(flat, "open_array", with_changes)
    assert SongDatabase.open(copy).n_songs == 38


def test_a_copy_holds_the_current_version_alone(copy: Path, tmp_path: Path) -> None:
    describe_track(copy, make_track(2).track_id, {"title": "Other"})
    (copy / "manifest-2.sig").write_bytes(b"signature")
    copy_current(copy, tmp_path / "out.npdb")
    assert SongDatabase.open(tmp_path / "out.npdb").track(2).title == "Other"
    assert not (tmp_path / "out.npdb" / "manifest-1.json").exists()
    assert (tmp_path / "out.npdb" / "manifest-2.sig").read_bytes() == b"signature"


@pytest.mark.parametrize(("n_changes", "n_songs"), [(1, 40), (2, 38)])
def test_a_database_that_is_changed_while_it_is_copied_gives_a_whole_copy(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_changes: int, n_songs: int
) -> None:
    """After one change the files of the version that is copied are still there, after two they are gone."""
    change_within_copies(monkeypatch, copy, n_copies=1, n_changes=n_changes)
    assert copy_current(copy, tmp_path / "out.npdb").n_songs == n_songs
    assert SongDatabase.open(tmp_path / "out.npdb", check_hashes=True).n_songs == n_songs
    assert {path.name for path in (tmp_path / "out.npdb").iterdir()} == named_files(tmp_path / "out.npdb")


def test_a_database_that_never_rests_is_not_copied(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_within_copies(monkeypatch, copy, n_copies=3, n_changes=2)
    with pytest.raises(DatabaseError, match="changed 3 times while it was being copied"):
        copy_current(copy, tmp_path / "out.npdb")
    assert not (tmp_path / "out.npdb").exists()


@pytest.mark.parametrize("damage", ["missing", "data"])
def test_a_damaged_database_is_not_copied(copy: Path, tmp_path: Path, damage: str) -> None:
    (songs,) = copy.glob("songs-1*")
    songs.unlink() if damage == "missing" else songs.write_bytes(b"x" * songs.stat().st_size)
    with pytest.raises(CorruptArtifactError, match=r"copy.npdb: a file of the database is missing or damaged"):
        copy_current(copy, tmp_path / "out.npdb")
    assert not (tmp_path / "out.npdb").exists()


def change_within_copies(monkeypatch: pytest.MonkeyPatch, database: Path, *, n_copies: int, n_changes: int) -> None:
    """Remove songs from a database after the first file of each of the first copies."""
    real, numbers, left = shutil.copyfile, iter(range(40)), [n_copies]

    def copyfile(source: Path, target: Path) -> object:
        if left[0] and len(list(target.parent.iterdir())) == 1:
            left[0] -= 1
            for _ in range(n_changes):
                remove(database, next(numbers))
        return real(source, target)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
