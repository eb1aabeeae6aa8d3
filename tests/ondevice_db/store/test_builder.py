"""Writing: new databases, more and fewer songs, one writer at a time, and failure at any step."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core import artifacts
from nowplaying_core.errors import ConfigError, DatabaseError, ManifestMismatchError
from ondevice_db.index.pq import PqIndex
from ondevice_db.match.matcher import Matcher
from ondevice_db.store import generation
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import remove_tracks
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import roll_back
from tests.ondevice_db.material import DIM, SETTINGS, build_database, make_codebook, make_track, named_files, walk
from tests.ondevice_db.tampering import set_field


def contents(database: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in database.iterdir()}


def names_beside(database: Path) -> list[str]:
    return sorted(path.name for path in database.parent.iterdir())


def test_equal_input_gives_equal_bytes(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    first = build_database(tmp_path / "a.npdb", song_vectors[:5])
    second = build_database(tmp_path / "b.npdb", song_vectors[:5])
    assert contents(first) == contents(second)
    assert names_beside(first) == ["a.npdb", "b.npdb"]


def test_adding_equals_building_at_once(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    codebook = make_codebook(np.concatenate(song_vectors))
    for layout in ("pq", "flat"):
        whole = build_database(tmp_path / f"{layout}-whole.npdb", song_vectors[:6], layout, codebook=codebook)
        grown = build_database(tmp_path / f"{layout}-grown.npdb", song_vectors[:4], layout, codebook=codebook)
        with DatabaseWriter.extend(grown, SETTINGS) as writer:
            for number in (4, 5):
                assert writer.add(make_track(number), song_vectors[number]) == number
            manifest = writer.finish()
        assert manifest.generation == 2
        one, other = SongDatabase.open(whole), SongDatabase.open(grown)
        everything = np.arange(one.manifest.n_fingerprints)
        np.testing.assert_array_equal(one.index.vectors(everything), other.index.vectors(everything))
        assert [track for _, track in one.songs] == [track for _, track in other.songs]
        assert {path.name for path in grown.iterdir()} == named_files(grown)


def test_a_song_is_added_once(copy: Path, song_vectors: list[np.ndarray]) -> None:
    with DatabaseWriter.extend(copy) as writer:
        assert make_track(3).track_id in writer
        assert writer.add(make_track(3), song_vectors[3]) is None
        assert writer.finish().generation == 1  # nothing changed, nothing is written


def test_removed_songs_are_gone_and_their_index_stays_free(copy: Path, song_vectors: list[np.ndarray]) -> None:
    gone = [make_track(number).track_id for number in (0, 17, 39)]
    assert remove_tracks(copy, [*gone, "f" * 16]) == gone
    database = SongDatabase.open(copy)
    assert database.n_songs == 37
    assert all(database.songs.find(track_id) is None for track_id in gone)
    matcher = Matcher(database)
    for song in (0, 17, 39):
        assert matcher.match(song_vectors[song][5:13], 1.0).best is None
    for song in (1, 16, 18, 38):
        match = matcher.match(song_vectors[song][5:13], 1.0)
        assert match.best is not None
        assert match.best.song_index == song
    with DatabaseWriter.extend(copy) as writer:
        assert writer.add(make_track(17), song_vectors[17]) == 40
        writer.finish()
    match = Matcher(SongDatabase.open(copy)).match(song_vectors[17][5:13], 1.0)
    assert match.best is not None
    assert match.best.song_index == 40


def test_the_last_song_cannot_be_removed(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    path = build_database(tmp_path / "a.npdb", song_vectors[:1], n_cells=16)
    before = contents(path)
    with pytest.raises(DatabaseError, match="at least one song"):
        remove_tracks(path, [make_track(0).track_id])
    assert contents(path) == before


def test_an_existing_database_is_not_overwritten(copy: Path) -> None:
    with pytest.raises(DatabaseError, match="--add"):
        DatabaseWriter(copy, settings=SETTINGS, layout="flat")
    with pytest.raises(DatabaseError, match="expected a database folder"):
        DatabaseWriter.extend(copy.with_name("missing.npdb"))
    assert names_beside(copy) == ["copy.npdb"]


def test_other_settings_cannot_be_mixed_in(copy: Path) -> None:
    other = FingerprintSettings(embedding_space="feed", encoder="other", dim=DIM, hop_s=1.0, window_s=2.048)
    with pytest.raises(ManifestMismatchError, match="feed"):
        DatabaseWriter.extend(copy, other)
    half = FingerprintSettings(
        embedding_space=SETTINGS.embedding_space, encoder="spectrum", dim=DIM, hop_s=0.5, window_s=2.048
    )
    with pytest.raises(ManifestMismatchError, match=r"found hop 0\.5 instead of 1\.0"):
        DatabaseWriter.extend(copy, half)


@pytest.mark.parametrize(
    "bad", [np.zeros((0, DIM)), np.ones((3, DIM)), np.eye(DIM)[:3, :50], np.full((2, DIM), np.nan)]
)
def test_fingerprints_must_be_unit_vectors(tmp_path: Path, bad: np.ndarray) -> None:
    with (
        DatabaseWriter(tmp_path / "a.npdb", settings=SETTINGS, layout="flat") as writer,
        pytest.raises(ConfigError, match="length 1"),
    ):
        writer.add(make_track(0), bad.astype(np.float32))


def test_pq_needs_a_codebook_that_fits(tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="codebook"):
        DatabaseWriter(tmp_path / "a.npdb", settings=SETTINGS)
    with pytest.raises(ConfigError, match="one of 24"):
        DatabaseWriter(tmp_path / "a.npdb", settings=SETTINGS, codebook=make_codebook(walk(rng, 300, 24)))
    assert list(tmp_path.iterdir()) == []


def test_flat_holds_two_thousand_songs(tmp_path: Path) -> None:
    row = np.eye(DIM, dtype=np.float32)[:1]
    with DatabaseWriter(tmp_path / "a.npdb", settings=SETTINGS, layout="flat") as writer:
        for number in range(2000):
            writer.add(make_track(number), row)
        with pytest.raises(DatabaseError, match="2000 songs"):
            writer.add(make_track(2000), row)


def test_one_writer_at_a_time(copy: Path) -> None:
    with DatabaseWriter.extend(copy), pytest.raises(DatabaseError, match=rf"pid {os.getpid()}"):
        DatabaseWriter.extend(copy)
    DatabaseWriter.extend(copy).close()
    assert names_beside(copy) == ["copy.npdb"]


def test_readers_keep_the_generation_they_opened(copy: Path, song_vectors: list[np.ndarray]) -> None:
    before = Matcher(SongDatabase.open(copy))
    remove_tracks(copy, [make_track(number).track_id for number in range(30)])
    match = before.match(song_vectors[3][5:13], 1.0)
    assert match.best is not None
    assert match.best.song_index == 3


@pytest.mark.parametrize("step", ["save_array", "write_songs", "file_record", "write_json"])
def test_failure_at_any_step_leaves_the_old_database(
    copy: Path, song_vectors: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = contents(copy)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with DatabaseWriter.extend(copy) as writer:
        writer.add(make_track(50), song_vectors[1])
        monkeypatch.setattr(generation, step, fail)
        with pytest.raises(DatabaseError, match="run the command again"):
            writer.finish()
    assert contents(copy) == before
    assert names_beside(copy) == ["copy.npdb"]


def test_a_change_writes_over_no_file_whatever_its_number(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database from elsewhere may name its files as the next change would."""
    (copy / "songs-1.sqlite").rename(copy / "songs-2.sqlite")
    set_field(copy, "songs-2.sqlite", "files", "songs", "name")
    before = contents(copy)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(generation, "write_json", fail)
        with pytest.raises(DatabaseError, match="run the command again"):
            remove_tracks(copy, [make_track(3).track_id])
    assert contents(copy) == before
    remove_tracks(copy, [make_track(3).track_id])
    assert SongDatabase.open(copy).n_songs == 39
    roll_back(copy)
    assert contents(copy) == before


def test_failure_after_the_switch_keeps_the_new_database(
    copy: Path, song_vectors: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise KeyboardInterrupt

    with DatabaseWriter.extend(copy) as writer:
        writer.add(make_track(50), song_vectors[1])
        original = artifacts.write_json

        def write_then_fail(path: Path, value: object) -> None:
            original(path, value)
            fail(path)

        monkeypatch.setattr(generation, "write_json", write_then_fail)
        with pytest.raises(KeyboardInterrupt):
            writer.finish()
    assert SongDatabase.open(copy).n_songs == 41


KILLED_WRITER = """
import sys
import numpy as np
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.format.track import Track
print("ready", flush=True)
rng = np.random.default_rng(1)
number = int(sys.argv[2])
while True:
    with DatabaseWriter.extend(sys.argv[1]) as writer:
        rows = rng.standard_normal((400, 96)).astype(np.float32)
        writer.add(Track(track_id=f"{number:016x}"), rows / np.linalg.norm(rows, axis=1, keepdims=True))
        writer.finish()
    print("done", flush=True)
    number += 1
"""


def test_a_killed_writer_leaves_a_whole_database(pq_database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))
    delays = np.random.default_rng(4).uniform(0.0, 0.1, 10)
    sizes = []
    for delay_s in delays:
        command = [sys.executable, "-c", KILLED_WRITER, str(copy), str(1000 * (len(sizes) + 1))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert process.stdout.readline() == b"done\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        database = SongDatabase.open(copy)
        assert isinstance(database.index, PqIndex)
        database.index.cells_and_codes()
        sizes.append(database.n_songs)
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)
    with DatabaseWriter.extend(copy) as writer:  # the dead writers' lock and left-overs are no obstacle
        writer.remove(make_track(0).track_id)
        writer.finish()
    assert {path.name for path in copy.iterdir()} == named_files(copy)
