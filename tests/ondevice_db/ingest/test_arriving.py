"""Recordings that arrive one by one become the same database as files, and an interrupted run goes on."""

from pathlib import Path

import pytest
import soundfile

from nowplaying_core.audio import MemoryFile
from nowplaying_core.errors import AudioFormatError, DatabaseError
from ondevice_db.format.lock import writer_lock
from ondevice_db.ingest.arriving import Arriving
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.journal import FileStamp
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.report import IndexReport
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SpectrumFingerprinter
from tests.synthesis import SAMPLE_RATE_HZ, song

Sent = dict[str, bytes | AudioFormatError]


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    """Return what a sender has: three songs, one of them twice, and something that is no audio."""
    found: Sent = {}
    for number in range(3):
        path = tmp_path / f"{number}.flac"
        soundfile.write(path, song(number, 20.0), SAMPLE_RATE_HZ)
        found[f"Music/song-{number}.flac"] = path.read_bytes()
    return {**found, "Music/copy.flac": found["Music/song-0.flac"], "Music/notes.txt": b"no audio " * 100}


def run(
    sent: Sent, database: Path, *, stop_at: str = "", taken: list[str] | None = None, **options: object
) -> IndexReport:
    def take(path: Path) -> MemoryFile | AudioFormatError:
        if str(path) == stop_at:
            message = f"{path}: the sender is gone"
            raise DatabaseError(message)
        if taken is not None:
            taken.append(str(path))
        content = sent[str(path)]
        return MemoryFile(str(path), content) if isinstance(content, bytes) else content

    stamps = {
        Path(name): FileStamp(path=name, size_bytes=len(str(content)), mtime_ns=1) for name, content in sent.items()
    }
    arriving = Arriving(stamps=stamps, take=take)
    paths = [Path(name) for name in sent]
    return index_paths(paths, database, SpectrumFingerprinter(), layout="flat", arriving=arriving, **options)  # type: ignore[arg-type]


def test_songs_copies_and_failures_are_told_apart(sent: Sent, tmp_path: Path) -> None:
    report = run(sent, tmp_path / "a.npdb")
    assert [str(path) for path, _ in report.added] == [f"Music/song-{number}.flac" for number in range(3)]
    assert [str(path) for path, _ in report.skipped] == ["Music/copy.flac"]
    assert [str(path) for path, _ in report.failed] == ["Music/notes.txt"]
    database = SongDatabase.open(tmp_path / "a.npdb")
    tracks = [database.track(number) for number in range(3)]
    assert [track.source for track in tracks] == [f"Music/song-{number}.flac" for number in range(3)]
    assert [track.title for track in tracks] == ["song-0", "song-1", "song-2"]


def test_a_run_goes_on_where_its_sender_left(sent: Sent, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="the sender is gone"):
        run(sent, tmp_path / "a.npdb", stop_at="Music/song-2.flac")
    assert not (tmp_path / "a.npdb").exists()
    taken: list[str] = []
    report = run(sent, tmp_path / "a.npdb", taken=taken)
    assert report.n_resumed == 2
    assert "Music/song-0.flac" not in taken
    assert SongDatabase.open(tmp_path / "a.npdb").n_songs == 3


def test_the_writer_lock_is_held_while_it_waits(sent: Sent, tmp_path: Path) -> None:
    with writer_lock(tmp_path / "a.npdb"), pytest.raises(DatabaseError, match="is writing it"):
        run(sent, tmp_path / "a.npdb")


def test_a_recording_that_is_too_long_is_refused(sent: Sent, tmp_path: Path) -> None:
    report = run(sent, tmp_path / "a.npdb", options=ReadOptions(max_s=5.0))
    assert report.added == []
    assert "the longest that is taken here" in str(report.failed[0][1])
