"""Opening: what a database holds, and everything its manifest must not say."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import (
    ArtifactError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
    UnsupportedVersionError,
)
from ondevice_db.format.manifest import load_manifest
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SPACE, make_track
from tests.ondevice_db.tampering import set_field, sign


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
    from tests.ondevice_db.material import build_database, walk

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
    set_field(copy, 5, "schema_version")
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
    files = sorted(copy.iterdir())
    assert len(files) == 1 + len(load_manifest(copy).files)
    for path in files:
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
        (1e-300, ("hop_s",)),
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


def test_reading_leaves_no_trace(copy: Path, song_vectors: list[np.ndarray]) -> None:
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in copy.iterdir()}
    database = SongDatabase.open(copy)
    Matcher(database).match(song_vectors[3][:8], 1.0)
    database.track(3)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in copy.iterdir()} == before
