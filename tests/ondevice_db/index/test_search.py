"""Candidate search through codes, against comparison with everything."""

from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from ondevice_db.index import exact, pq
from ondevice_db.index.base import SearchOptions, top_k
from ondevice_db.index.exact import ExactIndex
from ondevice_db.index.flat import FlatIndex
from ondevice_db.index.normalize import power_normalize
from ondevice_db.index.pq import PqIndex
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, make_codebook, worsen


@pytest.fixture(scope="module")
def index(pq_database: Path) -> PqIndex:
    found = SongDatabase.open(pq_database).index
    assert isinstance(found, PqIndex)
    return found


@pytest.fixture
def queries(song_vectors: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return worsen(rng, song_vectors[7][5:11], 0.5)


def test_scanning_everything_equals_decoding_everything(index: PqIndex, queries: np.ndarray) -> None:
    decoded = power_normalize(index.vectors(np.arange(index._n_fingerprints)))
    exact = ExactIndex(decoded).nearest(queries, 50, SearchOptions())
    found = index.nearest(queries, 50, SearchOptions())
    assert found.n_scanned == len(decoded)
    np.testing.assert_allclose(found.similarities, exact.similarities, atol=1e-5)
    assert np.mean(found.fingerprints == exact.fingerprints) > 0.99
    np.testing.assert_allclose(
        np.einsum("qkd,qd->qk", decoded[found.fingerprints], queries), found.similarities, atol=1e-5
    )


@pytest.mark.parametrize("n_neighbors", [1, 7, 60])
def test_exhaustive_search_in_blocks_finds_what_one_product_finds(
    n_neighbors: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, queries = rng.standard_normal((53, 8), np.float32), rng.standard_normal((4, 8), np.float32)
    whole = ExactIndex(vectors).nearest(queries, n_neighbors, SearchOptions())
    monkeypatch.setattr(exact, "_BLOCK", 10)
    found = ExactIndex(vectors).nearest(queries, n_neighbors, SearchOptions())
    np.testing.assert_array_equal(found.fingerprints, whole.fingerprints)
    np.testing.assert_allclose(found.similarities, whole.similarities, atol=1e-5)  # another order of sums
    np.testing.assert_array_equal(found.fingerprints[:, 0], (queries @ vectors.T).argmax(axis=1))


def test_decoded_vectors_are_near_the_songs(index: PqIndex, song_vectors: list[np.ndarray]) -> None:
    everything = np.concatenate(song_vectors)
    numbers = np.random.default_rng(3).permutation(len(everything))[:300]
    cosine = np.einsum("nd,nd->n", index.vectors(numbers), everything[numbers])
    assert np.median(cosine) > 0.6
    shuffled = np.einsum("nd,nd->n", index.vectors(numbers), everything[np.roll(numbers, 1)])
    assert np.median(shuffled) < 0.4


def test_probing_scans_less_and_finds_most(index: PqIndex, queries: np.ndarray) -> None:
    everything = index.nearest(queries, 10, SearchOptions())
    few = index.nearest(queries, 10, SearchOptions(n_probe=4))
    assert few.n_scanned < 0.8 * everything.n_scanned
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(everything.fingerprints, few.fingerprints, strict=True)]
    assert np.mean(shared) > 0.7
    assert set(few.fingerprints.ravel()) <= set(range(index._n_fingerprints))


def test_the_scan_grows_to_what_is_asked(index: PqIndex, queries: np.ndarray) -> None:
    sizes = [index.nearest(queries, 5, SearchOptions(min_scan=n)).n_scanned for n in (50, 400, 10**6)]
    assert 50 <= sizes[0] < 400 <= sizes[1] < sizes[2] == index._n_fingerprints


@pytest.mark.parametrize(
    ("n_fingerprints", "n_scanned"),
    [
        (0, 50_000),
        (1_000, 50_000),
        (1_000_000, 50_000),
        (4_000_000, 120_000),
        (6_300_000, 189_000),
        (30_000_000, 200_000),
        (60_000_000, 300_000),
    ],
)
def test_more_is_scanned_in_a_large_database(n_fingerprints: int, n_scanned: int) -> None:
    assert SearchOptions().n_to_scan(n_fingerprints) == pytest.approx(n_scanned)
    assert SearchOptions(min_scan=10).n_to_scan(1_000) == pytest.approx(30)


@pytest.mark.parametrize("rows_at_once", [7, 1 << 20])
def test_stored_codes_come_back_in_song_order(
    index: PqIndex, song_vectors: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(pq, "_ROWS_AT_ONCE", rows_at_once)
    cells, codes = index.cells_and_codes()
    expected_cells, expected_codes = index.codebook.quantize(np.concatenate(song_vectors))
    np.testing.assert_array_equal(cells, expected_cells)
    np.testing.assert_array_equal(codes, expected_codes)


def test_flat_layout_finds_the_true_neighbors(
    flat_database: Path, song_vectors: list[np.ndarray], queries: np.ndarray
) -> None:
    flat = SongDatabase.open(flat_database).index
    assert isinstance(flat, FlatIndex)
    exact = ExactIndex(np.concatenate(song_vectors)).nearest(queries, 20, SearchOptions())
    found = flat.nearest(queries, 20, SearchOptions())
    np.testing.assert_allclose(found.similarities[:, 0], exact.similarities[:, 0], atol=1e-6)
    shared = [len(set(a) & set(b)) / 20 for a, b in zip(exact.fingerprints, found.fingerprints, strict=True)]
    assert np.mean(shared) > 0.95


def test_top_k_are_sorted_and_padded() -> None:
    columns, values = top_k(np.array([[0.1, 0.9, 0.5], [3.0, 1.0, 2.0]], np.float32), 5)
    np.testing.assert_array_equal(columns, [[1, 2, 0, -1, -1], [0, 2, 1, -1, -1]])
    assert np.isneginf(values[:, 3:]).all()
    np.testing.assert_array_equal(top_k(np.array([[0.1, 0.9, 0.5]], np.float32), 1)[0], [[1]])


@pytest.mark.parametrize("option", ["n_probe", "min_scan", "search_k", "n_neighbors", "n_candidates", "n_best"])
def test_options_out_of_range_are_named(option: str) -> None:
    with pytest.raises(ConfigError, match=option):
        SearchOptions(**{option: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["pq", "flat"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_silent_fingerprints_are_no_hits(tmp_path: Path, song_vectors: list[np.ndarray], layout: str) -> None:
    """Fewer fingerprints than neighbors are asked for, and some of them silent."""
    songs = [vectors[:20].copy() for vectors in song_vectors[:4]]
    for vectors in songs:
        vectors[5:8] = 0
    codebook = make_codebook(np.concatenate(song_vectors))
    path = build_database(tmp_path / "a.npdb", songs, layout, codebook=codebook)
    database = SongDatabase.open(path)
    neighbors = database.index.nearest(songs[1][10:14], 128, SearchOptions())
    found = neighbors.fingerprints >= 0
    assert (found == np.isfinite(neighbors.similarities)).all()
    assert found.sum(axis=1).tolist() == [4 * 17] * 4
    match = Matcher(database).match(songs[1][9:17], 1.0)
    assert match.candidates[0].song_index == 1


def test_cells_without_codes_give_no_hits(tmp_path: Path, song_vectors: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    codebook = make_codebook(np.concatenate(song_vectors), n_cells=200)
    few = SongDatabase.open(build_database(tmp_path / "few.npdb", song_vectors[:1], codebook=codebook)).index
    assert isinstance(few, PqIndex)
    found = [few.nearest(worsen(rng, song[:1], 0.1), 5, SearchOptions(n_probe=1)) for song in song_vectors[1:]]
    empty = [neighbors for neighbors in found if neighbors.n_scanned == 0]
    assert empty
    assert all(
        (neighbors.fingerprints == -1).all() and np.isneginf(neighbors.similarities).all() for neighbors in empty
    )
