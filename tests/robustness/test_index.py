"""Indexing what real music folders hold: links, odd names, folders that cannot be read, interrupted runs, tags."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nowplaying_core.errors import AudioFormatError, DatabaseError, ManifestMismatchError
from ondevice_db.format.lock import writer_lock
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.store.store import SongDatabase

from .conftest import IndexRun as Run
from .sounds import SAMPLE_RATE_HZ, music, wav

LATIN = os.fsdecode("caf\u00e9".encode("latin-1") + b".wav")


# Point 1: one database under two names.
def test_two_writers_through_two_names_are_one_too_many(index_run: Run, folder: Path, tmp_path: Path) -> None:
    index_run([folder / "0.wav"], tmp_path / "real.npdb")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.npdb").symlink_to(tmp_path / "real.npdb")
    (tmp_path / "door").symlink_to(tmp_path)
    for name in ("elsewhere/link.npdb", "door/real.npdb", "elsewhere/../real.npdb"):
        with (
            writer_lock(tmp_path / "real.npdb"),
            pytest.raises(DatabaseError, match="is writing it"),
            writer_lock(tmp_path / name),
        ):
            pass
    report = index_run([folder / "1.wav"], tmp_path / "elsewhere" / "link.npdb", add=True)
    assert len(report.added) == 1
    assert (tmp_path / "elsewhere" / "link.npdb").is_symlink()
    assert SongDatabase.open(tmp_path / "real.npdb").n_songs == 2
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["link.npdb"]


def test_a_new_database_is_locked_by_its_real_name(tmp_path: Path) -> None:
    (tmp_path / "link.npdb").symlink_to(tmp_path / "real.npdb")
    with (
        writer_lock(tmp_path / "link.npdb"),
        pytest.raises(DatabaseError, match="is writing it"),
        writer_lock(tmp_path / "real.npdb"),
    ):
        pass


def test_a_folder_with_two_real_names_is_locked_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bind mount, which only root may make, gives one folder two names that no link explains."""
    from ondevice_db.format import lock

    (tmp_path / "a.npdb").mkdir()
    (tmp_path / "b.npdb").symlink_to(tmp_path / "a.npdb")
    monkeypatch.setattr(lock, "real_folder", Path.absolute)
    with (
        writer_lock(tmp_path / "a.npdb"),
        pytest.raises(DatabaseError, match="under another name"),
        writer_lock(tmp_path / "b.npdb"),
    ):
        pass


# Point 6: folders that cannot be read.
def test_a_folder_that_cannot_be_read_is_a_failure(
    index_run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "shut").mkdir()
    wav(folder / "shut" / "3.wav", music(3, 8.0))
    real = os.scandir

    def refuse(path: str | os.PathLike[str] | int) -> Iterator[os.DirEntry[str]]:
        if not isinstance(path, int) and Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = index_run([folder], tmp_path / "a.npdb")
    assert len(report.added) == 3
    ((failed, reason),) = report.failed
    assert failed == folder / "shut"
    assert "cannot read this folder (Permission denied)" in str(reason)


# Point 7: damage to the journal of an interrupted run.
@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_damaged_fingerprints_of_an_interrupted_run_are_made_again(
    index_run: Run,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    from ondevice_db.ingest import ingest

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "DatabaseWriter", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index_run([folder], tmp_path / "a.npdb")
    first, *_ = sorted((tmp_path / "a.npdb.partial").glob("*.npy"))
    data = bytearray(first.read_bytes())
    kinds = {"truncated": data[: len(data) // 2], "changed": data[:300] + bytes(64) + data[364:], "empty": bytearray()}
    first.write_bytes(kinds[damage])
    report = index_run([folder], tmp_path / "a.npdb")
    assert (len(report.added), report.failed, report.n_resumed) == (3, [], 2)
    assert "stored fingerprints are damaged; it is done again" in caplog.text


# Point 8: names that are not UTF-8.
def test_a_name_in_latin_1_is_indexed(index_run: Run, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    wav(tmp_path / "a.wav", music(0, 8.0)).rename(tmp_path / "music" / LATIN)
    report = index_run([tmp_path / "music"], tmp_path / "a.npdb")
    assert len(report.added) == 1
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert track.title == r"caf\xe9"
    assert track.source.endswith(r"caf\xe9.wav")


# Point 19: recordings that are hardly there.
@pytest.mark.parametrize("duration_s", [0.01, 0.1, 2.0])
def test_what_is_shorter_than_a_window_is_refused(
    index_run: Run, folder: Path, tmp_path: Path, duration_s: float
) -> None:
    short = wav(tmp_path / "short.wav", music(5, 10.0)[: round(duration_s * SAMPLE_RATE_HZ)])
    report = index_run([folder, short], tmp_path / "a.npdb")
    assert len(report.added) == 3
    ((_, reason),) = report.failed
    assert "shorter than 2.048 s" in str(reason)
    report = index_run([short], tmp_path / "b.npdb", options=ReadOptions(min_s=0))
    assert len(report.added) == 1


# Point 16: damaged files.
def test_damaged_files_are_indexed_only_when_asked_for(index_run: Run, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", music(5, 20.0))
    path.write_bytes(path.read_bytes()[:300_000])
    assert len(index_run([path], tmp_path / "a.npdb").failed) == 1
    report = index_run([path], tmp_path / "b.npdb", options=ReadOptions(lenient=True))
    assert (len(report.added), report.failed) == (1, [])
    assert report.seconds_of_audio == pytest.approx(9.4, abs=0.1)


# Point 21: what the messages say.
def test_another_hop_is_named_and_nothing_else(index_run: Run, folder: Path, tmp_path: Path) -> None:
    index_run([folder], tmp_path / "a.npdb")
    with pytest.raises(ManifestMismatchError, match=r"found hop 0\.5 instead of 1\.0; index") as caught:
        index_run([folder], tmp_path / "a.npdb", add=True, hop_s=0.5)
    assert "FingerprintSettings" not in str(caught.value)


def test_a_refused_write_does_not_speak_of_space(
    index_run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondevice_db.store import generation

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "songs.sqlite")

    monkeypatch.setattr(generation, "write_songs", refuse)
    with pytest.raises(DatabaseError, match="check the permissions"):
        index_run([folder], tmp_path / "a.npdb")


# Point 12: paths that are no names.
@pytest.mark.parametrize("name", ["/", "/..", "//"])
def test_the_root_is_no_database(index_run: Run, folder: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match=r"NAME\.npdb"):
        index_run([folder], Path(name))


def test_the_current_folder_may_be_a_database(
    index_run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_run([folder / "0.wav"], tmp_path / "a.npdb")
    monkeypatch.chdir(tmp_path / "a.npdb")
    assert len(index_run([folder / "1.wav"], Path(), add=True).added) == 1
    assert SongDatabase.open(Path()).n_songs == 2


# Point 11: where memory ends all the same.
def test_where_memory_ends_the_other_files_go_on(
    index_run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondevice_db.ingest import workers

    real = workers.fingerprint_file

    def hungry(path: Path, *arguments: object) -> object:
        if path.name == "1.wav":
            raise MemoryError
        return real(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "fingerprint_file", hungry)
    report = index_run([folder], tmp_path / "a.npdb")
    assert len(report.added) == 2
    ((_, reason),) = report.failed
    assert isinstance(reason, AudioFormatError)
    assert "not enough memory" in str(reason)
