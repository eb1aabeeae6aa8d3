"""Property tests of every reader: whatever the bytes, an error of ours or a value within its bounds."""

import json
import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from evaluation.endurance.trials import trial_codebook, trial_database, trial_song
from nowplaying_core.errors import ArtifactError, CorruptArtifactError, DatabaseError, NowPlayingError
from ondevice_db.format.arrays import open_array, save_array
from ondevice_db.format.layouts import CODE_KINDS, CodeKind
from ondevice_db.format.manifest import DatabaseManifest, load_manifest, manifest_digest
from ondevice_db.format.songs import SongTable, as_stored, write_songs
from ondevice_db.index.annoy_cells import AnnoyVectors
from ondevice_db.index.codebook import CODEBOOK_ROLES
from ondevice_db.index.codebook_files import load_codebook, save_codebook
from ondevice_db.ingest.journal import Journal
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from ondevice_db.update.delta_file import Delta, read_delta, write_delta
from ondevice_db.update.delta_songs import apply_songs
from ondevice_db.update.patch import expand_patch
from tests.ondevice_db.material import make_track

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(0, 100) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damage(draw: st.DrawFn) -> Any:
    """Return a function that damages bytes: flips, a cut, an insertion, a foreign number."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "number"]))
    place, more = draw(st.floats(0, 1, exclude_max=True)), draw(st.binary(min_size=1, max_size=40))
    bit = draw(st.integers(0, 7))

    def apply(content: bytes) -> bytes:
        at = int(place * len(content))
        if kind == "flip":
            return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :] if content else b""
        if kind == "cut":
            return content[:at]
        if kind == "insert":
            return content[:at] + more + content[at:]
        return content[:at] + more[:8] + content[at + len(more[:8]) :]

    return apply


@pytest.fixture(scope="module", params=CODE_KINDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial_database(tmp_path_factory.mktemp("readers") / "songs.npdb", range(8), kind=request.param)


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "copy.npdb"))


@MANY
@given(change=damage())
def test_arrays(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "a.npy"
    save_array(path, np.arange(60, dtype=np.uint32).reshape(12, 5))
    path.write_bytes(change(path.read_bytes()))
    try:
        array = open_array(path, np.uint32)
    except CorruptArtifactError:
        return
    assert array.dtype == np.uint32
    assert array.nbytes < path.stat().st_size
    int(array.sum())  # every byte of the map can be read


@MANY
@given(name=st.sampled_from(sorted(DatabaseManifest.__dataclass_fields__)), value=JSON)
def test_manifest_values(world: Path, copy: Path, name: str, value: Any) -> None:
    manifest = json.loads((world / "manifest.json").read_text())
    assume(name in manifest)  # schema 2 has no kind of codes
    original = manifest[name]
    manifest[name] = value
    manifest["digest"] = manifest_digest(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    try:
        loaded = load_manifest(copy)
        SongDatabase.open(copy)
    except ArtifactError:
        return
    # What may differ and still open says nothing about sizes or places.
    free = {"generation", "encoder", "embedding_space", "hop_s", "window_s", "annoy_trees", "annoy_seed"}
    assert value == original or name in free, loaded


@MANY
@given(
    role=st.sampled_from(["codes", "songs", "cells"]),
    key=st.sampled_from(["name", "bytes", "sha256"]),
    value=JSON
    | st.sampled_from(["../codes-1.npy", "codes-1.npy\0", "codes-1.npy/", "CODES-1.NPY", "codes-\u0661.npy"]),
)
def test_manifest_records(world: Path, copy: Path, role: str, key: str, value: Any) -> None:
    manifest = json.loads((world / "manifest.json").read_text())
    manifest["files"][role][key] = value
    manifest["digest"] = manifest_digest(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError):
        SongDatabase.open(copy)


@MANY
@given(content=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_manifest(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(CorruptArtifactError):
        SongDatabase.open(copy)


def test_a_manifest_without_end(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    (copy / "manifest.json").symlink_to("/dev/zero")
    with pytest.raises(CorruptArtifactError, match="link"):
        SongDatabase.open(copy)
    (copy / "manifest.json").unlink()
    (copy / "manifest.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(CorruptArtifactError, match="bytes are no manifest"):
        SongDatabase.open(copy)


@SOME
@given(change=damage())
def test_song_tables(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "songs.sqlite"
    path.unlink(missing_ok=True)
    write_songs(path, [(number, make_track(number)) for number in range(30)])
    path.write_bytes(change(path.read_bytes()))
    try:
        table = SongTable(path, n_slots=30, n_songs=30)
        tracks = list(table)
        table.find(make_track(3).track_id)
        table.track_ids()
        table.track(29)
    except CorruptArtifactError:
        return
    assert len(tracks) <= 30
    assert all(0 <= index < 30 for index, _ in tracks)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(["x" * 5000, '"' * 500])


@SOME
@given(title=ANY_TEXT, source=ANY_TEXT, ids=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=12))
def test_what_is_written_of_a_song_can_be_read(tmp_path: Path, title: str, source: str, ids: dict[str, str]) -> None:
    path = tmp_path / "songs.sqlite"
    path.unlink(missing_ok=True)
    track = replace(make_track(0), title=title, source=source, external_ids=ids)
    write_songs(path, [(0, track)])
    assert SongTable(path, n_slots=1, n_songs=1).track(0) == as_stored(track) == as_stored(as_stored(track))


def test_a_table_without_end(tmp_path: Path) -> None:
    """Twelve pages that each name the next a hundred times: 10^24 rows in 57 kB."""
    path, page_bytes, fan = tmp_path / "songs.sqlite", 4096, 100
    write_songs(path, [(number, make_track(number)) for number in range(3)])
    content = path.read_bytes()
    leaf = content[page_bytes:]
    pages = [content[:page_bytes]]
    for level in range(12):
        page, at = bytearray(page_bytes), page_bytes
        for number in range(fan):
            at -= 5
            page[at : at + 5] = struct.pack(">IB", 3 + level, number + 1)
            page[12 + 2 * number : 14 + 2 * number] = struct.pack(">H", at)
        page[:12] = struct.pack(">BHHHBI", 5, 0, fan, at, 0, 3 + level)
        pages.append(bytes(page))
    whole = bytearray(b"".join([*pages, leaf]))
    whole[28:32] = struct.pack(">I", len(whole) // page_bytes)
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection:  # SQLite itself finds nothing wrong with its beginning
        assert connection.execute("SELECT song_index FROM songs LIMIT 1").fetchone() is not None
    with pytest.raises(CorruptArtifactError, match="interrupted"):
        SongTable(path, n_slots=3, n_songs=3)


@SOME
@given(change=damage())
def test_annoy_files(world: Path, tmp_path: Path, change: Any) -> None:
    manifest = load_manifest(world)
    path = tmp_path / "cells.ann"
    path.write_bytes(change((world / str(manifest.files["cells"]["name"])).read_bytes()))
    try:
        index = AnnoyVectors(path, n_items=manifest.n_cells, dim=manifest.dim)
    except CorruptArtifactError:
        return
    found = index.nearest(trial_song(1)[:3], 8, 100)
    assert ((found >= -1) & (found < manifest.n_cells)).all()


@SOME
@given(role=st.sampled_from(CODEBOOK_ROLES), kind=st.sampled_from(CODE_KINDS), change=damage())
def test_codebooks(tmp_path: Path, role: str, kind: CodeKind, change: Any) -> None:
    save_codebook(trial_codebook(kind=kind), tmp_path)
    path = tmp_path / f"codebook_{role}.npy"
    if not path.is_file():  # of the other kind
        return
    path.write_bytes(change(path.read_bytes()))
    try:
        codebook = load_codebook(tmp_path)
    except CorruptArtifactError:
        return
    assert np.isfinite(codebook.decode(np.zeros(1, np.int64), np.zeros((1, codebook.n_subspaces), np.uint8))).all()


@MANY
@given(change=damage())
def test_delta_files(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "d.npdelta"
    parts = {"slots": bytes(range(48)), "counts": b"", "codes": b"abc"}
    whole = Delta(old_sha256="0" * 64, manifest=b"{}", signature=b"s", files={"codes": "derived"}, parts=parts)
    write_delta(path, whole)
    original = path.read_bytes()
    damaged = change(original)
    path.write_bytes(damaged)
    if damaged == original:
        assert read_delta(path).parts == parts
    else:
        with pytest.raises(ArtifactError):
            read_delta(path)


@MANY
@given(
    runs=st.lists(st.tuples(st.integers(-4, 12) | st.integers(-(2**63), 2**63 - 1), st.integers(-1, 10)), max_size=4),
    counts=st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 3), max_size=3),
    cells=st.binary(max_size=8),
    codes=st.binary(max_size=24),
)
def test_lists_of_songs_in_a_delta(
    world: Path, runs: list[tuple[int, int]], counts: list[int], cells: bytes, codes: bytes
) -> None:
    from ondevice_db.store.content import read_content

    content = read_content(SongDatabase.open(world))
    manifest = load_manifest(world)
    parts = {
        "slots": np.array(runs, "<i8").tobytes(),
        "counts": np.array(counts, "<u4").tobytes(),
        "cells": cells,
        "codes": codes,
    }
    try:
        starts, found_cells, found_codes = apply_songs(content, parts, manifest)
    except CorruptArtifactError:
        return
    assert starts.size == manifest.n_slots + 1
    assert found_cells.size == found_codes.shape[0] == manifest.n_fingerprints
    assert int(found_cells.max()) <= manifest.n_cells


@MANY
@given(patch=st.binary(max_size=200), n_bytes=st.integers(0, 1 << 40))
def test_patches(patch: bytes, n_bytes: int) -> None:
    pytest.importorskip("zstandard", reason="needs the delta extra")
    try:
        content = expand_patch(None, patch, n_bytes)
    except CorruptArtifactError:
        return
    assert len(content) == n_bytes


def test_a_patch_that_grows_without_end(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="needs the delta extra")
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    assert len(bomb) < 1 << 16
    with pytest.raises(CorruptArtifactError, match="gives 268435456 bytes, expected 100"):
        expand_patch(None, bomb, 100)
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    silent = stream.compress(bytes(1 << 28)) + stream.flush()  # does not say how much it gives
    with pytest.raises(CorruptArtifactError):
        expand_patch(None, silent, 100)


@SOME
@given(lines=st.lists(st.text(max_size=60) | JSON.map(json.dumps), max_size=4))
def test_journals(tmp_path: Path, lines: list[str]) -> None:
    shutil.rmtree(tmp_path / "a.npdb.partial", ignore_errors=True)
    Journal(tmp_path / "a.npdb", {"hop_s": 1.0})
    with (tmp_path / "a.npdb.partial" / "journal.jsonl").open("a") as handle:
        handle.write("\n".join(lines).encode("utf-8", "replace").decode() + "\n")
    assert len(Journal(tmp_path / "a.npdb", {"hop_s": 1.0})) == 0


@SOME
@given(content=st.binary(max_size=400))
def test_the_file_of_the_lock(world: Path, content: bytes) -> None:
    from ondevice_db.format.lock import writer_lock

    lock = world.with_name(f".{world.name}.lock")
    with writer_lock(world):
        lock.write_bytes(content)
        with pytest.raises(DatabaseError) as refused, writer_lock(world):
            pass
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("role", ["order_bits", "order_counts", "codes"])
@SOME
@given(change=damage())
def test_indexes_with_right_hashes_and_wrong_content(copy: Path, role: str, change: Any) -> None:
    from nowplaying_core.artifacts import file_record

    manifest = json.loads((copy / "manifest.json").read_text())
    path = copy / manifest["files"][role]["name"]
    original = path.read_bytes()
    header = original.index(b"\n") + 1
    body = change(original[header:])[: len(original) - header].ljust(len(original) - header, b"\0")
    path.write_bytes(original[:header] + body)
    manifest["files"][role] |= file_record(path)
    manifest["digest"] = manifest_digest(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    try:
        database = SongDatabase.open(copy)
        match = Matcher(database).match(trial_song(3)[4:11], 1.0)
        tracks = [database.track(candidate.song_index) for candidate in match.candidates]
    except NowPlayingError:
        return
    finally:
        path.write_bytes(original)
    assert 1 <= len(tracks) == len({track.track_id for track in tracks}) <= 5
    assert all(0 <= candidate.score <= 1 for candidate in match.candidates)
