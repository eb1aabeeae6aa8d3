"""When a database is hashed: once, and again when anything says that it may have changed."""

import os
from pathlib import Path

import pytest

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.store import store
from ondevice_db.store.store import SongDatabase


def test_a_database_is_hashed_once_and_again_when_touched(pq_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    monkeypatch.setattr(store, "check_file", lambda path, record: hashed.append(path.name))
    SongDatabase.open(pq_copy)
    n_files = len(hashed)
    assert n_files > 5
    SongDatabase.open(pq_copy)
    assert len(hashed) == n_files
    codes = next(pq_copy.glob("codes-*"))
    codes.write_bytes(codes.read_bytes())
    SongDatabase.open(pq_copy)
    assert len(hashed) == 2 * n_files
    SongDatabase.open(pq_copy, check_hashes=True)
    assert len(hashed) == 3 * n_files


def test_a_database_that_failed_is_never_taken_for_verified(pq_copy: Path) -> None:
    SongDatabase.open(pq_copy)
    codes = next(pq_copy.glob("codes-*"))
    data = bytearray(codes.read_bytes())
    data[-7] ^= 1
    codes.write_bytes(data)
    for _ in range(2):
        with pytest.raises(CorruptArtifactError, match="codes"):
            SongDatabase.open(pq_copy)


def test_a_copy_is_checked_however_its_times_were_set(pq_copy: Path, tmp_path: Path) -> None:
    SongDatabase.open(pq_copy)
    codes = next(pq_copy.glob("codes-*"))
    before = codes.stat()
    data = bytearray(codes.read_bytes())
    data[-7] ^= 1
    codes.write_bytes(data)
    os.utime(codes, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(CorruptArtifactError, match="codes"):
        SongDatabase.open(pq_copy)


def test_without_a_place_for_notes_everything_is_checked(
    pq_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    hashed = []
    monkeypatch.setattr(store, "check_file", lambda path, record: hashed.append(path.name))
    SongDatabase.open(pq_copy)
    SongDatabase.open(pq_copy)
    assert len(hashed) == 2 * len(set(hashed))


def test_a_user_without_a_home_opens_databases(pq_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # of nobody whom the system knows
    assert SongDatabase.open(pq_copy).n_songs == 40
