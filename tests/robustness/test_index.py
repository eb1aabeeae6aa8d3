"""Indexing what real music folders hold: links, odd names, folders that cannot be read, interrupted runs, tags."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import find_audio
from nowplaying_core.errors import AudioFormatError, DatabaseError, ManifestMismatchError
from ondevice_db.format.lock import writer_lock
from ondevice_db.index.codebook import Codebook
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.report import IndexReport
from ondevice_db.ingest.workers import ReadOptions
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SpectrumFingerprinter, make_codebook

from .sounds import SAMPLE_RATE_HZ, music, wav

LATIN = os.fsdecode("caf\u00e9".encode("latin-1") + b".wav")


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    parts = [SpectrumFingerprinter().embed_with_levels(music(seed, 30.0), 0.25)[0] for seed in range(100, 106)]
    return make_codebook(np.concatenate(parts), n_cells=48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three songs."""
    (tmp_path / "music").mkdir()
    for number in range(3):
        wav(tmp_path / "music" / f"{number}.wav", music(number, 8.0))
    return tmp_path / "music"


@pytest.fixture
def run(codebook: Codebook) -> Callable[..., IndexReport]:
    def call(paths: list[Path], database: Path, **options: object) -> IndexReport:
        return index_paths(find_audio(paths), database, SpectrumFingerprinter(), codebook=codebook, **options)  # type: ignore[arg-type]

    return call


Run = Callable[..., IndexReport]


# Point 1: one database under two names.
def test_two_writers_through_two_names_are_one_too_many(run: Run, folder: Path, tmp_path: Path) -> None:
    run([folder / "0.wav"], tmp_path / "real.npdb")
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
    report = run([folder / "1.wav"], tmp_path / "elsewhere" / "link.npdb", add=True)
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
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "shut").mkdir()
    wav(folder / "shut" / "3.wav", music(3, 8.0))
    real = os.scandir

    def refuse(path: str | os.PathLike[str] | int) -> Iterator[os.DirEntry[str]]:
        if not isinstance(path, int) and Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = run([folder], tmp_path / "a.npdb")
    assert len(report.added) == 3
    ((failed, reason),) = report.failed
    assert failed == folder / "shut"
    assert "cannot read this folder (Permission denied)" in str(reason)


# Point 7: damage to the journal of an interrupted run.
@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_damaged_fingerprints_of_an_interrupted_run_are_made_again(
    run: Run,
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
            run([folder], tmp_path / "a.npdb")
    first, *_ = sorted((tmp_path / "a.npdb.partial").glob("*.npy"))
    data = bytearray(first.read_bytes())
    kinds = {"truncated": data[: len(data) // 2], "changed": data[:300] + bytes(64) + data[364:], "empty": bytearray()}
    first.write_bytes(kinds[damage])
    report = run([folder], tmp_path / "a.npdb")
    assert (len(report.added), report.failed, report.n_resumed) == (3, [], 2)
    assert "stored fingerprints are damaged; it is done again" in caplog.text


# Point 8: names that are not UTF-8.
def test_a_name_in_latin_1_is_indexed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    wav(tmp_path / "a.wav", music(0, 8.0)).rename(tmp_path / "music" / LATIN)
    report = run([tmp_path / "music"], tmp_path / "a.npdb")
    assert len(report.added) == 1
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert track.title == r"caf\xe9"
    assert track.source.endswith(r"caf\xe9.wav")


# Point 17: tags and places that change.
def tagged(path: Path, title: str) -> Path:
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
        file.title = title
        file.write(music(1, 8.0))
    return path


def test_files_that_are_in_already_are_counted_and_not_listed(run: Run, folder: Path, tmp_path: Path) -> None:
    run([folder], tmp_path / "a.npdb")
    report = run([folder], tmp_path / "a.npdb", add=True)
    assert (report.added, report.skipped, report.n_unchanged, report.n_updated) == ([], [], 3, 0)
    assert "3 already in the database" in str(report)


def test_tags_are_read_again_when_asked_for(run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Wrnog")
    run([path], tmp_path / "a.npdb")
    tagged(path, "Right")
    report = run([path], tmp_path / "a.npdb", add=True)
    assert (report.n_unchanged, report.n_updated) == (1, 0)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).title == "Wrnog"
    report = run([path], tmp_path / "a.npdb", add=True, update_tags=True)
    assert (report.n_unchanged, report.n_updated) == (1, 1)
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).title == "Right"


def test_a_moved_file_is_found_at_its_new_place(run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Name")
    run([path], tmp_path / "a.npdb")
    moved = path.rename(tmp_path / "b.flac")
    report = run([moved], tmp_path / "a.npdb", add=True)
    assert (report.skipped, report.n_unchanged, report.n_updated) == ([], 1, 1)
    track = SongDatabase.open(tmp_path / "a.npdb").track(0)
    assert (track.title, track.source) == ("Name", str(moved))


def test_a_copy_does_not_take_the_place_of_the_original(run: Run, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", "Name")
    run([path], tmp_path / "a.npdb")
    copy = Path(shutil.copy(path, tmp_path / "b.flac"))
    report = run([copy], tmp_path / "a.npdb", add=True, update_tags=True)
    assert report.skipped == [(copy, str(path))]
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).source == str(path)


# Point 19: recordings that are hardly there.
@pytest.mark.parametrize("duration_s", [0.01, 0.1, 2.0])
def test_what_is_shorter_than_a_window_is_refused(run: Run, folder: Path, tmp_path: Path, duration_s: float) -> None:
    short = wav(tmp_path / "short.wav", music(5, 10.0)[: round(duration_s * SAMPLE_RATE_HZ)])
    report = run([folder, short], tmp_path / "a.npdb")
    assert len(report.added) == 3
    ((_, reason),) = report.failed
    assert "shorter than 2.048 s" in str(reason)
    report = run([short], tmp_path / "b.npdb", options=ReadOptions(min_s=0))
    assert len(report.added) == 1


# Point 16: damaged files.
def test_damaged_files_are_indexed_only_when_asked_for(run: Run, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", music(5, 20.0))
    path.write_bytes(path.read_bytes()[:300_000])
    assert len(run([path], tmp_path / "a.npdb").failed) == 1
    report = run([path], tmp_path / "b.npdb", options=ReadOptions(lenient=True))
    assert (len(report.added), report.failed) == (1, [])
    assert report.seconds_of_audio == pytest.approx(9.4, abs=0.1)


# Point 21: what the messages say.
def test_another_hop_is_named_and_nothing_else(run: Run, folder: Path, tmp_path: Path) -> None:
    run([folder], tmp_path / "a.npdb")
    with pytest.raises(ManifestMismatchError, match=r"found hop 0\.5 instead of 1\.0; index") as caught:
        run([folder], tmp_path / "a.npdb", add=True, hop_s=0.5)
    assert "FingerprintSettings" not in str(caught.value)


def test_a_refused_write_does_not_speak_of_space(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondevice_db.store import generation

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "songs.sqlite")

    monkeypatch.setattr(generation, "write_songs", refuse)
    with pytest.raises(DatabaseError, match="check the permissions"):
        run([folder], tmp_path / "a.npdb")


# Point 12: paths that are no names.
@pytest.mark.parametrize("name", ["/", "/..", "//"])
def test_the_root_is_no_database(run: Run, folder: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match=r"NAME\.npdb"):
        run([folder], Path(name))


def test_the_current_folder_may_be_a_database(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([folder / "0.wav"], tmp_path / "a.npdb")
    monkeypatch.chdir(tmp_path / "a.npdb")
    assert len(run([folder / "1.wav"], Path(), add=True).added) == 1
    assert SongDatabase.open(Path()).n_songs == 2


# Point 11: where memory ends all the same.
def test_where_memory_ends_the_other_files_go_on(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondevice_db.ingest import workers

    real = workers.fingerprint_file

    def hungry(path: Path, *arguments: object) -> object:
        if path.name == "1.wav":
            raise MemoryError
        return real(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "fingerprint_file", hungry)
    report = run([folder], tmp_path / "a.npdb")
    assert len(report.added) == 2
    ((_, reason),) = report.failed
    assert isinstance(reason, AudioFormatError)
    assert "not enough memory" in str(reason)
