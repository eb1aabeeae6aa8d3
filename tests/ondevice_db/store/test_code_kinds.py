"""Databases whose codes name whole vectors: what their manifest says; everything else is as with the others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import CorruptArtifactError, UnsupportedVersionError
from ondevice_db.format.manifest import load_manifest
from ondevice_db.index.pq import PqIndex
from ondevice_db.index.train_codebook import with_smoothing
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.changes import merge_databases
from ondevice_db.store.store import SongDatabase
from ondevice_db.update.delta import apply_delta, make_delta
from ondevice_db.verify import verify_database
from tests.ondevice_db.material import (
    SETTINGS,
    build_database,
    make_codebook,
    make_residual_codebook,
    make_track,
    walk,
    worsen,
)
from tests.ondevice_db.tampering import npy, rewrite, set_field, sign


@pytest.fixture(scope="module")
def residual_database(tmp_path_factory: pytest.TempPathFactory, song_vectors: list[np.ndarray]) -> Path:
    codebook = make_residual_codebook(np.concatenate(song_vectors))
    return build_database(tmp_path_factory.mktemp("residual") / "songs.npdb", song_vectors, codebook=codebook)


@pytest.fixture
def residual_copy(residual_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(residual_database, tmp_path / "residual.npdb"))


def test_the_manifest_names_the_kind(residual_database: Path, pq_database: Path) -> None:
    stated = [json.loads((path / "manifest.json").read_text()) for path in (residual_database, pq_database)]
    assert [one["schema_version"] for one in stated] == [4, 2]
    assert stated[0]["code_kind"] == "residual"
    assert "code_kind" not in stated[1], "readers of schema 2 know no such field"
    assert [load_manifest(path).code_kind for path in (residual_database, pq_database)] == ["residual", "product"]
    assert SongDatabase.open(residual_database).info()["code_kind"] == "residual"


def test_songs_are_found_and_their_vectors_are_near(residual_database: Path, song_vectors: list[np.ndarray]) -> None:
    database = SongDatabase.open(residual_database, check_hashes=True)
    assert verify_database(residual_database).n_found == 40
    rng, matcher = np.random.default_rng(3), Matcher(database)
    for number in range(0, 40, 5):
        best = matcher.match(worsen(rng, song_vectors[number][8:20], 0.8), 1.0).candidates[0]
        assert (best.song_index, round(best.offset_s)) == (number, 8)
    vectors = np.concatenate(song_vectors)
    stored = database.index.vectors(np.arange(len(vectors)))
    assert np.square(vectors - stored).sum(axis=1).mean() < 0.5


def test_the_scan_adds_what_the_codes_decode_to(residual_database: Path, song_vectors: list[np.ndarray]) -> None:
    index = SongDatabase.open(residual_database).index
    assert isinstance(index, PqIndex)
    vectors = index.vectors(np.arange(sum(map(len, song_vectors))))
    cells, codes = index.cells_and_codes()
    query = song_vectors[4][:1]
    sums = index.codebook.centroids[cells] @ query[0]
    for of_byte, column in zip(index.codebook.tables(query), codes.T, strict=True):
        sums += of_byte[column, 0]
    np.testing.assert_allclose(sums, vectors @ query[0], atol=1e-5)


def test_songs_are_added_by_beam_and_travel_as_a_delta(residual_copy: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(residual_copy, tmp_path / "old.npdb"))
    song = walk(np.random.default_rng(8), 50)
    with DatabaseWriter.extend(residual_copy, SETTINGS) as writer:
        assert writer.codebook is not None
        assert writer.codebook.kind == "residual"
        writer.add(make_track(77), song)
        writer.finish()
    assert load_manifest(residual_copy).schema_version == 4
    make_delta(old, residual_copy, tmp_path / "d.npdelta")
    apply_delta(old, tmp_path / "d.npdelta")
    found = Matcher(SongDatabase.open(old, check_hashes=True)).match(song[5:17], 1.0).candidates[0]
    assert (found.song_index, round(found.offset_s)) == (40, 5)


@pytest.mark.parametrize("kind", [None, "product", "sum", 3, []])
def test_another_kind_in_the_manifest_is_refused(residual_copy: Path, kind: object) -> None:
    set_field(residual_copy, kind, "code_kind")
    with pytest.raises(CorruptArtifactError, match=r"code_kind|schema_version"):
        SongDatabase.open(residual_copy)


@pytest.mark.parametrize(("kind", "fits"), [("product", False), ("residual", True)])
def test_bytes_that_name_whole_vectors_need_not_divide_the_dimensions(
    pq_copy: Path, residual_copy: Path, kind: str, fits: bool
) -> None:
    path = residual_copy if kind == "residual" else pq_copy
    set_field(path, 7, "n_subspaces")  # of 96 dimensions; the files have 12
    with pytest.raises(CorruptArtifactError, match="expected an array .*7" if fits else "n_subspaces"):
        SongDatabase.open(path)


def test_a_missing_kind_is_refused(residual_copy: Path) -> None:
    manifest = json.loads((residual_copy / "manifest.json").read_text())
    del manifest["code_kind"]
    sign(residual_copy, manifest)
    with pytest.raises(CorruptArtifactError, match="code_kind"):
        SongDatabase.open(residual_copy)


def test_words_of_the_other_kind_are_refused(
    residual_copy: Path, pq_copy: Path, song_vectors: list[np.ndarray]
) -> None:
    vectors = np.concatenate(song_vectors)
    rewrite(residual_copy, "words", npy(make_codebook(vectors).pq_centroids))
    with pytest.raises(CorruptArtifactError, match=r"words-1.npy: expected an array \|i1 .*found <f4"):
        SongDatabase.open(residual_copy)
    rewrite(pq_copy, "pq_centroids", npy(make_residual_codebook(vectors).pq_centroids))
    with pytest.raises(CorruptArtifactError, match="in whole numbers, found floats"):
        SongDatabase.open(pq_copy)


@pytest.mark.parametrize("value", [np.nan, np.inf, 4.5 / 127, 0, -0.001, 1 / 3000])
def test_steps_out_of_bounds_are_refused(residual_copy: Path, value: float) -> None:
    steps = np.load(next(residual_copy.glob("word_steps-*.npy")))
    steps[3] = value  # the last one has more digits than a step may have
    rewrite(residual_copy, "word_steps", npy(steps))
    with pytest.raises(CorruptArtifactError, match=r"within|words of codes"):
        SongDatabase.open(residual_copy)


def test_a_cohort_is_stored_where_it_does_not_follow_from_the_cells(
    tmp_path: Path, song_vectors: list[np.ndarray], residual_database: Path
) -> None:
    assert "cohort" not in load_manifest(residual_database).files
    plain = make_residual_codebook(np.concatenate(song_vectors))
    opened = SongDatabase.open(residual_database).index
    np.testing.assert_array_equal(opened.cohort, plain.cohort)  # type: ignore[arg-type]
    other = replace(plain, cohort=plain.cohort[::-2].copy())
    path = build_database(tmp_path / "other.npdb", song_vectors[:3], codebook=other)
    with DatabaseWriter.extend(path, SETTINGS) as writer:
        writer.add(make_track(77), song_vectors[5])
        writer.finish()
    assert load_manifest(path).files["cohort"]["name"] == "cohort-1.npy"
    np.testing.assert_array_equal(SongDatabase.open(path, check_hashes=True).index.cohort, other.cohort)  # type: ignore[arg-type]


def test_the_map_of_references_stays_when_songs_are_added_and_merged(
    tmp_path: Path, song_vectors: list[np.ndarray]
) -> None:
    plain = make_residual_codebook(np.concatenate(song_vectors))
    codebook = with_smoothing(plain, song_vectors)
    database = build_database(tmp_path / "a.npdb", song_vectors[:20], codebook=codebook)
    other = build_database(tmp_path / "b.npdb", song_vectors[:22], codebook=plain)
    assert merge_databases(database, [other]).added == 2  # the codes are the same
    assert load_manifest(database).files["smoothing"]["name"] == "smoothing-1.npy"
    opened = SongDatabase.open(database, check_hashes=True)
    np.testing.assert_array_equal(opened.index.codebook.smoothing, codebook.smoothing)  # type: ignore[attr-defined]
    numbers = np.arange(opened.manifest.n_fingerprints)
    true = np.concatenate(song_vectors[:22])
    stored, references = opened.index.vectors(numbers), opened.index.references(numbers, opened.song_starts)
    errors = [np.square(rows - true).sum(axis=1).mean() for rows in (stored, references)]
    assert errors[1] < 0.95 * errors[0]
    assert verify_database(database).n_found == 22
    assert opened.info()["size_bytes"]["smoothing"] == 289 * 96 * 4 + 128


@pytest.mark.parametrize("damage", ["shape", "nan", "large", "missing", "absent"])
def test_a_damaged_map_of_references_is_refused(residual_copy: Path, damage: str) -> None:
    smoothing = np.array(SongDatabase.open(residual_copy).index.codebook.smoothing)  # type: ignore[attr-defined]
    if damage == "missing":
        next(residual_copy.glob("smoothing-*")).unlink()
    elif damage == "absent":
        manifest = json.loads((residual_copy / "manifest.json").read_text())
        del manifest["files"]["smoothing"]
        sign(residual_copy, manifest)
    else:
        smoothing[3, 7] = {"nan": np.nan, "large": 4.5, "shape": 0}[damage]
        rewrite(residual_copy, "smoothing", npy(smoothing[:-1] if damage == "shape" else smoothing))
    with pytest.raises(CorruptArtifactError, match="smoothing"):
        SongDatabase.open(residual_copy)


def test_readers_of_the_schema_before_refuse_with_the_reason(residual_copy: Path) -> None:
    from nowplaying_core.artifacts import read_manifest

    with pytest.raises(UnsupportedVersionError, match="schema_version 4 is newer than 2; update nowplaying"):
        read_manifest(residual_copy / "manifest.json", kind="database", schema_version=2)
