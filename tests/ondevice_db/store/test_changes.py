"""Changes from what is stored: the same codes before and after, one generation a change."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError, DatabaseError, ManifestMismatchError
from ondevice_db.format.lock import writer_lock
from ondevice_db.index.codebook import Codebook
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import (
    compact_database,
    describe_track,
    merge_databases,
    remove_tracks,
    replace_track,
)
from ondevice_db.store.content import read_content
from ondevice_db.store.store import SongDatabase
from ondevice_db.verify import verify_database
from tests.ondevice_db.material import SETTINGS, build_database, make_codebook, make_track, named_files, walk


@pytest.fixture(scope="module")
def codebook(song_vectors: list[np.ndarray]) -> Codebook:
    return make_codebook(np.concatenate(song_vectors))


def write(path: Path, numbers: list[int], songs: list[np.ndarray], codebook: Codebook | None) -> Path:
    layout = "flat" if codebook is None else "pq"
    with DatabaseWriter(path, settings=SETTINGS, codebook=codebook, layout=layout) as writer:
        for number in numbers:
            writer.add(make_track(number), songs[number])
        writer.finish()
    return path


def stored(path: Path) -> dict[str, bytes]:
    """Return each song's stored fingerprints by its track id."""
    content = read_content(SongDatabase.open(path))
    rows = content.vectors if content.codes is None else np.column_stack([content.cells, content.codes])
    assert rows is not None
    return {
        track.track_id: rows[content.song_starts[index] : content.song_starts[index + 1]].tobytes()
        for index, track in content.songs
    }


@pytest.mark.parametrize("flat", [False, True])
def test_merged_is_as_if_indexed_together(
    tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook, flat: bool
) -> None:
    kind = None if flat else codebook
    one = write(tmp_path / "a.npdb", [0, 1, 2, 3], song_vectors, kind)
    two = write(tmp_path / "b.npdb", [3, 4], song_vectors, kind)
    three = write(tmp_path / "c.npdb", [5, 0], song_vectors, kind)
    report = merge_databases(one, [two, three])
    assert (report.added, report.duplicates, report.quantized_again) == (2, 2, 0)
    together = write(tmp_path / "d.npdb", [0, 1, 2, 3, 4, 5], song_vectors, kind)
    assert stored(one) == stored(together)
    assert verify_database(one).n_found == 6
    assert {path.name for path in one.iterdir()} == named_files(one)


def test_merging_makes_a_missing_database(tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook) -> None:
    parts = [write(tmp_path / f"{n}.npdb", [n, n + 1], song_vectors, codebook) for n in (0, 2)]
    assert merge_databases(tmp_path / "all.npdb", parts).added == 4
    together = write(tmp_path / "t.npdb", [0, 1, 2, 3], song_vectors, codebook)
    files = [{file.name: file.read_bytes() for file in path.iterdir()} for path in (tmp_path / "all.npdb", together)]
    assert files[0] == files[1]


def test_another_codebook_is_taken_only_on_request(
    tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook
) -> None:
    one = write(tmp_path / "a.npdb", [0, 1, 2], song_vectors, codebook)
    other = write(tmp_path / "b.npdb", [3], song_vectors, make_codebook(np.concatenate(song_vectors), seed=9))
    with pytest.raises(ManifestMismatchError, match="--quantize-again"):
        merge_databases(one, [other])
    assert SongDatabase.open(one).n_songs == 3
    assert merge_databases(one, [other], quantize_again=True).quantized_again == 1
    match = Matcher(SongDatabase.open(one)).match(song_vectors[3][4:12], 1.0)
    assert match.candidates[0].song_index == 3


def test_a_flat_database_joins_a_compact_one_without_loss(
    tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook
) -> None:
    one = write(tmp_path / "a.npdb", [0, 1], song_vectors, codebook)
    assert merge_databases(one, [write(tmp_path / "b.npdb", [2], song_vectors, None)]).quantized_again == 0
    assert stored(one) == stored(write(tmp_path / "c.npdb", [0, 1, 2], song_vectors, codebook))


def test_another_encoder_cannot_be_merged(tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook) -> None:
    one = write(tmp_path / "a.npdb", [0], song_vectors, codebook)
    other = tmp_path / "b.npdb"
    with DatabaseWriter(other, settings=replace(SETTINGS, embedding_space="feed"), codebook=codebook) as writer:
        writer.add(make_track(1), song_vectors[1])
        writer.finish()
    with pytest.raises(ManifestMismatchError, match="feed"):
        merge_databases(one, [other])
    with pytest.raises(ConfigError, match="at least one"):
        merge_databases(one, [])


def test_describing_a_song_writes_the_table_alone(copy: Path) -> None:
    before = stored(copy)
    files = SongDatabase.open(copy).manifest.files
    track = describe_track(copy, make_track(6).track_id, {"title": "Other", "album": ""})
    assert (track.title, track.artist, track.album) == ("Other", "Nobody", "")
    database = SongDatabase.open(copy)
    assert database.track(6) == track
    assert {role for role in files if database.manifest.files[role] != files[role]} == {"songs"}
    assert stored(copy) == before
    track = describe_track(copy, make_track(6).track_id, {"title": "long" * 1000})
    assert SongDatabase.open(copy).track(6) == track
    with pytest.raises(ConfigError, match="holds no song"):
        describe_track(copy, "f" * 16, {"title": "x"})


def test_a_song_keeps_a_name(copy: Path) -> None:
    track_id = make_track(0).track_id
    describe_track(copy, track_id, {"artist": ""})
    before = stored(copy)
    for title in ("", " ", "\0"):
        with pytest.raises(ConfigError, match="expected a title or an artist"):
            describe_track(copy, track_id, {"title": title})
    assert stored(copy) == before
    assert describe_track(copy, track_id, {"title": "", "artist": "Somebody"}).name == "Somebody"


def test_nothing_new_is_no_change(copy: Path) -> None:
    describe_track(copy, make_track(6).track_id, {"title": make_track(6).title})
    assert SongDatabase.open(copy).manifest.generation == 1


def test_a_recording_is_replaced_in_one_change(copy: Path, rng: np.random.Generator) -> None:
    new = walk(rng, 40)
    replace_track(copy, make_track(6).track_id, make_track(70), new)
    database = SongDatabase.open(copy)
    assert (database.manifest.generation, database.n_songs) == (2, 40)
    assert database.songs.find(make_track(6).track_id) is None
    match = Matcher(database).match(new[4:12], 1.0)
    assert match.best is not None
    assert database.track(match.best.song_index) == make_track(70)


def test_what_cannot_be_replaced(copy: Path, song_vectors: list[np.ndarray]) -> None:
    with pytest.raises(ConfigError, match="holds no song"):
        replace_track(copy, "f" * 16, make_track(70), song_vectors[0])
    with pytest.raises(DatabaseError, match="already"):
        replace_track(copy, make_track(6).track_id, make_track(7), song_vectors[7])
    assert SongDatabase.open(copy).manifest.generation == 1


def test_compact_closes_gaps_and_frees_space(copy: Path) -> None:
    remove_tracks(copy, [make_track(number).track_id for number in (0, 20, 39)])
    before = stored(copy)
    assert (copy / "manifest-1.json").exists()
    manifest = compact_database(copy)
    assert (manifest.n_songs, manifest.n_slots) == (37, 37)
    assert stored(copy) == before
    assert [index for index, _ in SongDatabase.open(copy).songs] == list(range(37))
    assert {path.name for path in copy.iterdir()} == {str(one["name"]) for one in manifest.files.values()} | {
        "manifest.json"
    }
    assert compact_database(copy).generation == manifest.generation


def test_compact_frees_space_where_there_are_no_gaps(copy: Path) -> None:
    describe_track(copy, make_track(6).track_id, {"title": "Other"})
    assert (copy / "manifest-1.json").exists()
    compact_database(copy)
    assert not (copy / "manifest-1.json").exists()
    assert len([path for path in copy.iterdir() if path.name.startswith("songs")]) == 1


HOLDER = """
import sys, time
from pathlib import Path
from ondevice_db.format.lock import writer_lock
with writer_lock(Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_holder_of_the_lock_is_named(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    database = build_database(tmp_path / "a.npdb", song_vectors[:3], n_cells=16)
    command = [sys.executable, "-c", HOLDER, "busy\x1b[31m", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DatabaseError, match=rf"pid {holder.pid}: -c busy.* since 20\d\d-") as refused:
            remove_tracks(database, [make_track(0).track_id])
        assert "\x1b" not in str(refused.value)
        holder.kill()
    with writer_lock(database):  # the kernel gave it back
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npdb"]


def test_a_lock_full_of_nonsense_is_no_obstacle(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    database = build_database(tmp_path / "a.npdb", song_vectors[:3], n_cells=16)
    (tmp_path / ".a.npdb.lock").write_bytes(os.urandom(5000))
    remove_tracks(database, [make_track(0).track_id])
    assert SongDatabase.open(database).n_songs == 2
