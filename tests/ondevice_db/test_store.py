"""Opening: what a database holds, and everything it must refuse."""

import hashlib
import json
import os
import pickle
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nowplaying.artifacts import file_record
from nowplaying.errors import (
    ArtifactError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
    UnsupportedVersionError,
)
from ondevice_db import store
from ondevice_db.matcher import Matcher
from ondevice_db.schema import layout_files, manifest_digest
from ondevice_db.store import SongDatabase

from .material import SPACE, make_track


@pytest.fixture(params=["pq", "flat"])
def copy(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database if request.param == "pq" else flat_database, tmp_path / "copy.npdb"))


@pytest.fixture
def pq_copy(pq_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))


def rewrite(database: Path, role: str, content: bytes) -> None:
    """Replace a file and make the manifest agree, as somebody would who means harm."""
    manifest = json.loads((database / "manifest.json").read_text())
    path = database / manifest["files"][role]["name"]
    path.write_bytes(content)
    manifest["files"][role] |= file_record(path)
    sign(database, manifest)


def sign(database: Path, manifest: dict[str, Any]) -> None:
    manifest["digest"] = manifest_digest(manifest)
    (database / "manifest.json").write_text(json.dumps(manifest))


def set_field(database: Path, value: object, *keys: str) -> None:
    manifest = json.loads((database / "manifest.json").read_text())
    inner = manifest
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    sign(database, manifest)


def test_counts_tracks_and_sizes(copy: Path) -> None:
    database = SongDatabase.open(copy, SPACE)
    info = database.info()
    assert (info["n_songs"], info["n_fingerprints"]) == (40, sum(range(30, 70)))
    assert info["total_bytes"] == sum(path.stat().st_size for path in copy.iterdir())
    assert database.track(7) == make_track(7)
    assert database.songs.find(make_track(9).track_id) == 9
    assert database.songs.find("f" * 16) is None
    assert [index for index, _ in database.songs] == list(range(40))
    np.testing.assert_array_equal(database.song_of(np.array([0, 29, 30, 60, 61])), [0, 0, 1, 1, 2])


def test_a_song_of_three_and_a_half_minutes_stays_under_3500_bytes(tmp_path: Path, rng: np.random.Generator) -> None:
    from .material import build_database, walk

    path = build_database(tmp_path / "a.npdb", [walk(rng, 208) for _ in range(150)], n_cells=1024)
    info = SongDatabase.open(path).info()
    assert 12 * 208 < info["bytes_per_song"] < 3500


def test_another_encoder_is_named(copy: Path) -> None:
    with pytest.raises(ManifestMismatchError, match=f"{SPACE}.*fedcba9876543210"):
        SongDatabase.open(copy, "fedcba9876543210")


def test_a_changed_manifest_is_refused(copy: Path) -> None:
    text = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(text.replace('"encoder": "spectrum"', '"encoder": "Spectrum"'))
    with pytest.raises(CorruptArtifactError, match="digest"):
        SongDatabase.open(copy)


def test_a_newer_schema_is_refused(copy: Path) -> None:
    set_field(copy, 3, "schema_version")
    with pytest.raises(UnsupportedVersionError, match="update nowplaying"):
        SongDatabase.open(copy)


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_what_is_no_database(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.npdb"
    if kind == "file":
        path.touch()
    elif kind == "empty":
        path.mkdir()
    with pytest.raises(DatabaseError, match="nowplaying index"):
        SongDatabase.open(path)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database")
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json"):
        SongDatabase.open(tmp_path)


def test_every_file_is_guarded(copy: Path) -> None:
    """A flipped bit, a missing byte, an added byte, an empty and a missing file: for each file of each layout."""
    for path in sorted(copy.iterdir()):
        original = path.read_bytes()
        flipped = bytearray(original)
        flipped[len(flipped) // 3] ^= 1
        for damaged in (bytes(flipped), original[:-1], original + b"\0", b"", None):
            if path.name == "manifest.json" and damaged == original[:-1]:
                continue  # only the last line's end is missing
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            with pytest.raises(ArtifactError, match=path.name):
                SongDatabase.open(copy)
            path.unlink(missing_ok=True)
            path.write_bytes(original)
    SongDatabase.open(copy, SPACE)


def test_without_hashes_sizes_are_still_checked(pq_copy: Path) -> None:
    SongDatabase.open(pq_copy, check_hashes=False)
    codes = next(pq_copy.glob("codes-*"))
    codes.write_bytes(codes.read_bytes()[:-1])
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(pq_copy, check_hashes=False)


def test_a_link_is_not_followed(pq_copy: Path, tmp_path: Path) -> None:
    codes = next(pq_copy.glob("codes-*"))
    codes.rename(tmp_path / "elsewhere")
    codes.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptArtifactError, match="link"):
        SongDatabase.open(pq_copy)


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("../../etc/passwd", ("files", "codes", "name")),
        ("/etc/passwd", ("files", "codes", "name")),
        ("codes-1.npy/../codes-1.npy", ("files", "codes", "name")),
        ("songs-1.sqlite", ("files", "codes", "name")),
        (-1, ("files", "codes", "bytes")),
        ("x", ("files", "codes", "sha256")),
        ({}, ("files", "codes")),
        ({}, ("files",)),
        ([], ("files",)),
        ("tree", ("layout",)),
        (0, ("n_songs",)),
        (True, ("n_songs",)),
        (39, ("n_songs",)),
        (41, ("n_songs",)),
        (2**40, ("n_fingerprints",)),
        (1979, ("n_fingerprints",)),
        ("1980", ("n_fingerprints",)),
        (0, ("n_codes",)),
        (1979, ("n_codes",)),
        (1981, ("n_codes",)),
        (0, ("n_cells",)),
        (33, ("n_cells",)),
        (2**31, ("n_cells",)),
        (7, ("n_subspaces",)),
        (24, ("n_subspaces",)),
        (48, ("dim",)),
        (10**9, ("dim",)),
        (41, ("n_slots",)),
        (0.0, ("hop_s",)),
        (None, ("hop_s",)),
        (1e9, ("window_s",)),
        ("", ("embedding_space",)),
        (5, ("embedding_space",)),
        ("x" * 1000, ("encoder",)),
        (0, ("annoy_trees",)),
        ("model", ("kind",)),
        ("1", ("schema_version",)),
    ],
)
def test_manifest_values_out_of_bounds(pq_copy: Path, value: object, keys: tuple[str, ...]) -> None:
    set_field(pq_copy, value, *keys)
    with pytest.raises(ArtifactError):
        SongDatabase.open(pq_copy)


def test_a_missing_field_is_named(pq_copy: Path) -> None:
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    del manifest["n_cells"]
    sign(pq_copy, manifest)
    with pytest.raises(CorruptArtifactError, match="n_cells"):
        SongDatabase.open(pq_copy)


def test_deep_json_does_not_overflow_the_stack(pq_copy: Path) -> None:
    (pq_copy / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(pq_copy)


def npy(array: np.ndarray) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, array, allow_pickle=array.dtype == object)
    return stream.getvalue()


@pytest.mark.parametrize("role", ["codes", "song_starts", "list_starts", "order_bits", "order_counts", "centroids"])
def test_pickles_are_never_loaded(pq_copy: Path, role: str) -> None:
    rewrite(pq_copy, role, npy(np.array([{"a": 1}], dtype=object)))
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(pq_copy)
    rewrite(pq_copy, role, pickle.dumps([1, 2, 3]))
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(pq_copy)


def test_absurd_array_headers_are_refused(pq_copy: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d, 12), }"
    for count in (10**30, 10**12, -5):
        text = (header % count).ljust(117) + b"\n"
        rewrite(pq_copy, "codes", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(12 * 50))
        with pytest.raises(CorruptArtifactError, match="codes"):
            SongDatabase.open(pq_copy)


def test_ranges_that_run_backwards_or_too_far_are_refused(pq_copy: Path) -> None:
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    for role in ("song_starts", "list_starts"):
        path = pq_copy / manifest["files"][role]["name"]
        original = path.read_bytes()
        for index, value in ((3, 4_000_000_000), (5, 0), (0, 1), (-1, 5)):
            array = np.load(path)
            array[index] = value
            rewrite(pq_copy, role, npy(array))
            with pytest.raises(CorruptArtifactError):
                SongDatabase.open(pq_copy)
            rewrite(pq_copy, role, original)
    SongDatabase.open(pq_copy)


def test_lists_that_lie_are_found_when_used(pq_copy: Path, song_vectors: list[np.ndarray]) -> None:
    """Right shapes, right hashes, wrong content: no crash and no read outside, but an error."""
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    for role in ("order_bits", "order_counts"):
        path = pq_copy / manifest["files"][role]["name"]
        original = path.read_bytes()
        array = np.load(path)
        rewrite(pq_copy, role, npy(np.full_like(array, np.iinfo(array.dtype).max)))
        with pytest.raises(CorruptArtifactError):
            Matcher(SongDatabase.open(pq_copy)).match(song_vectors[0][:8], 1.0)
        rewrite(pq_copy, role, original)


def sqlite_bytes(tmp_path: Path, *statements: str, start: bytes | None = None) -> bytes:
    path = tmp_path / "made.sqlite"
    path.unlink(missing_ok=True)
    if start is not None:
        path.write_bytes(start)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS SELECT * FROM songs",
        "CREATE TRIGGER t AFTER INSERT ON songs BEGIN DELETE FROM songs; END",
        "CREATE TABLE other (a)",
        "DELETE FROM songs WHERE song_index = 3",
        "UPDATE songs SET song_index = 4000000000 WHERE song_index = 39",
        "UPDATE songs SET song_index = -1 WHERE song_index = 0",
        "DROP TABLE songs",
    ],
)
def test_tampered_metadata_is_refused_on_opening(pq_copy: Path, tmp_path: Path, statement: str) -> None:
    original = next(pq_copy.glob("songs-*")).read_bytes()
    rewrite(pq_copy, "songs", sqlite_bytes(tmp_path, statement, start=original))
    with pytest.raises(CorruptArtifactError, match="songs"):
        SongDatabase.open(pq_copy)


@pytest.mark.parametrize(
    "change",
    [
        "title = 'x' || zeroblob(50000)",
        "title = zeroblob(10)",
        "title = hex(zeroblob(1500))",
        "duration_s = 'long'",
        "duration_s = -1.0",
        "duration_s = 9e999",
        "track_id = '../../etc'",
        "external_ids = '['",
        "external_ids = '[1]'",
        "external_ids = '{\"a\": 1}'",
        "artist = CAST(x'ff' AS TEXT)",
    ],
)
def test_tampered_rows_are_refused_when_read(pq_copy: Path, tmp_path: Path, change: str) -> None:
    original = next(pq_copy.glob("songs-*")).read_bytes()
    statement = f"UPDATE songs SET {change} WHERE song_index = 5"  # noqa: S608 (this file's own words)
    rewrite(pq_copy, "songs", sqlite_bytes(tmp_path, statement, start=original))
    with pytest.raises(CorruptArtifactError, match="songs"):
        SongDatabase.open(pq_copy).track(5)


def test_no_sqlite_at_all(pq_copy: Path) -> None:
    rewrite(pq_copy, "songs", b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(CorruptArtifactError, match="songs"):
        SongDatabase.open(pq_copy)


def test_reading_leaves_no_trace(copy: Path, song_vectors: list[np.ndarray]) -> None:
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in copy.iterdir()}
    database = SongDatabase.open(copy)
    Matcher(database).match(song_vectors[3][:8], 1.0)
    database.track(3)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in copy.iterdir()} == before


@pytest.mark.parametrize("seed", range(50))
def test_any_damage_is_refused_or_harmless(
    pq_copy: Path, flat_database: Path, song_vectors: list[np.ndarray], seed: int
) -> None:
    """Flip bits anywhere and make the manifest agree: an error of ours, or an answer; never a crash."""
    rng = np.random.default_rng([5, seed])
    layout = "pq" if seed % 4 else "flat"
    if layout == "flat":
        shutil.rmtree(pq_copy)
        shutil.copytree(flat_database, pq_copy)
    role = str(rng.choice(sorted(layout_files(layout))))
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    content = bytearray((pq_copy / manifest["files"][role]["name"]).read_bytes())
    # Half of the damage goes to the start, where headers are.
    reach = len(content) if rng.random() < 0.5 else min(200, len(content))
    for _ in range(rng.integers(1, 9)):
        content[rng.integers(reach)] ^= 1 << int(rng.integers(8))
    if rng.random() < 0.3:
        content = content[: rng.integers(len(content))]
    rewrite(pq_copy, role, bytes(content))
    try:
        database = SongDatabase.open(pq_copy)
        match = Matcher(database).match(song_vectors[3][:8], 1.0)
        for candidate in match.candidates:
            database.track(candidate.song_index)
    except ArtifactError:
        pass


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


def test_a_database_that_failed_is_never_trusted(pq_copy: Path) -> None:
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
