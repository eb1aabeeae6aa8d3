"""Files that are not what they say, though the manifest agrees with them; and any damage at all."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import (
    ArtifactError,
    CorruptArtifactError,
)
from ondevice_db.format.radix import sort_by_cell
from ondevice_db.format.track import Track
from ondevice_db.match.match import Candidate
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.tampering import npy, rewrite, sqlite_bytes


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


def test_an_order_that_leads_elsewhere_is_refused(pq_copy: Path) -> None:
    """Right shapes, right hashes, wrong content."""
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    starts = np.load(pq_copy / manifest["files"]["list_starts"]["name"]).astype(np.int64)
    n_cells, n = starts.size - 1, manifest["n_fingerprints"]
    cells = np.repeat(np.arange(n_cells), np.diff(starts))
    cells = np.append(cells, np.full(n - cells.size, n_cells))
    cells[0] += 1  # one list is too long and one too short
    _, other = sort_by_cell(cells, n_cells.bit_length())
    rewrite(pq_copy, "order_bits", npy(other.bits))
    rewrite(pq_copy, "order_counts", npy(other.counts))
    with pytest.raises(CorruptArtifactError, match="does not lead into the cells' lists"):
        SongDatabase.open(pq_copy)


def test_lists_that_lie_are_refused(pq_copy: Path) -> None:
    """Right shapes, right hashes, wrong content: no crash and no read outside, but an error."""
    manifest = json.loads((pq_copy / "manifest.json").read_text())
    for role in ("order_bits", "order_counts"):
        path = pq_copy / manifest["files"][role]["name"]
        original = path.read_bytes()
        array = np.load(path)
        rewrite(pq_copy, role, npy(np.full_like(array, np.iinfo(array.dtype).max)))
        with pytest.raises(CorruptArtifactError, match="differ from its bits"):
            SongDatabase.open(pq_copy)
        rewrite(pq_copy, role, original)


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


STRUCTURE = {"songs", "song_starts", "list_starts", "order_counts", "cells"}  # the other files hold numbers to compare


def damage(database: Path, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return a file's role, and its content with a few bits flipped and perhaps its end cut off."""
    manifest = json.loads((database / "manifest.json").read_text())
    role = str(rng.choice(sorted(manifest["files"])))
    content = bytearray((database / manifest["files"][role]["name"]).read_bytes())
    # Half of the damage goes to the start, where headers are.
    reach = len(content) if rng.random() < 0.5 else min(200, len(content))
    for _ in range(rng.integers(1, 9)):
        content[rng.integers(reach)] ^= 1 << int(rng.integers(8))
    if rng.random() < 0.3:
        content = content[: rng.integers(len(content))]
    return role, bytes(content)


def answer(database: Path, query: np.ndarray) -> list[tuple[Candidate, Track]]:
    opened = SongDatabase.open(database)
    return [(one, opened.track(one.song_index)) for one in Matcher(opened).match(query, 1.0).candidates]


@pytest.fixture(params=["pq", "flat"])
def whole(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path) -> Path:
    return pq_database if request.param == "pq" else flat_database


def test_any_damage_is_refused_or_harmless(whole: Path, tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    """Bits flipped anywhere: an error of ours, or exactly the answer of the undamaged database."""
    query, copy, refused = song_vectors[3][:8], tmp_path / "copy.npdb", 0
    expected = answer(whole, query)
    assert expected[0][0].song_index == 3
    for seed in range(40):
        shutil.copytree(whole, copy)
        role, content = damage(copy, np.random.default_rng([5, seed]))
        next(copy.glob(f"{role}-*")).write_bytes(content)
        try:
            assert answer(copy, query) == expected, (seed, role)
        except ArtifactError:
            refused += 1
        shutil.rmtree(copy)
    assert refused >= 39  # two flips of one bit are no damage


def test_damage_whose_hash_agrees_is_refused_or_names_the_same_song(
    whole: Path, tmp_path: Path, song_vectors: list[np.ndarray]
) -> None:
    """The manifest agrees with the flipped bits: an error of ours, or the same song.

    Where a file holds no numbers that are compared, scores and offsets are exactly those of the undamaged database.
    """
    query, copy, answered = song_vectors[3][:8], tmp_path / "copy.npdb", 0
    expected = answer(whole, query)
    for seed in range(60):
        shutil.copytree(whole, copy)
        role, content = damage(copy, np.random.default_rng([6, seed]))
        rewrite(copy, role, content)
        try:
            found = answer(copy, query)
        except ArtifactError:
            pass
        else:
            answered += 1
            assert found[0][1].track_id == expected[0][1].track_id, (seed, role)
            same = [one for one, _ in found] == [one for one, _ in expected]
            assert same or role not in STRUCTURE, (seed, role)
        shutil.rmtree(copy)
    assert 10 <= answered <= 50
