import numpy as np
import pytest

from evaluation.experiments.binary_index import BinaryCode, BinaryIndex
from nowplaying_core.errors import ConfigError
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.exact import ExactIndex
from ondevice_db.index.normalize import l2_normalize

DIM = 16


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    rows = l2_normalize(rng.standard_normal((500, DIM)))
    rows[7] = 0
    return rows


def made(vectors: np.ndarray, n_tables: int = 2, table_bits: int = 5) -> BinaryIndex:
    code = BinaryCode.of_signs(DIM)
    return BinaryIndex(code, vectors, n_tables=n_tables, table_bits=table_bits, cohort=vectors[:3])


def test_looking_everywhere_finds_what_comparing_all_decoded_bits_does(
    vectors: np.ndarray, rng: np.random.Generator
) -> None:
    index, queries = made(vectors), l2_normalize(rng.standard_normal((3, DIM)))
    decoded = index.vectors(np.arange(500))
    assert not decoded[7].any(), "silence stays silent"
    np.testing.assert_allclose(decoded[8], np.where(vectors[8] > 0, 0.25, -0.25), atol=1e-6)
    found = index.nearest(queries, 20, SearchOptions(min_scan=10_000))
    wanted = ExactIndex(decoded[np.arange(500) != 7]).nearest(queries, 20, SearchOptions())
    assert found.n_scanned == 499
    np.testing.assert_allclose(found.similarities, wanted.similarities, atol=1e-6)


@pytest.mark.parametrize("n_tables", [1, 2, 3])
@pytest.mark.parametrize("wanted", [1, 40, 200])
def test_as_many_are_scanned_as_were_asked_for_and_hardly_more(
    vectors: np.ndarray, rng: np.random.Generator, n_tables: int, wanted: int
) -> None:
    index = made(vectors, n_tables)
    found = index.probe(l2_normalize(rng.standard_normal((4, DIM))), SearchOptions(min_scan=wanted))
    assert wanted <= found.size <= wanted + 40, "a bucket of 32 holds some 16"
    assert len(np.unique(found)) == found.size
    assert 7 not in found


def test_buckets_are_visited_in_the_order_of_what_a_code_in_them_is_worth(
    vectors: np.ndarray, rng: np.random.Generator
) -> None:
    index = made(vectors, n_tables=1, table_bits=3)
    queries = l2_normalize(rng.standard_normal((2, DIM)))
    sure = 1 / (1 + np.exp(-10 * queries[:, :3].astype(np.float64)))
    members, worth = [], []
    for bucket in range(8):
        pattern = np.array([bucket >> place & 1 for place in range(3)], bool)
        inside = ((vectors[:, :3] > 0) == pattern).all(axis=1)
        inside[7] = False
        members.append(np.flatnonzero(inside))
        worth.append(np.where(pattern, sure, 1 - sure).prod(axis=1).sum() / inside.sum())
    order = np.argsort(worth)[::-1]
    for n in (1, 2, 5):
        wanted = np.sort(np.concatenate([members[bucket] for bucket in order[:n]]))
        np.testing.assert_array_equal(index.probe(queries, SearchOptions(n_probe=n)), wanted)


@pytest.mark.parametrize("number", [11, 30])
def test_a_stored_vector_finds_itself_in_a_part_of_the_database(vectors: np.ndarray, number: int) -> None:
    neighbors = made(vectors, n_tables=1, table_bits=4).nearest(vectors[[number]], 5, SearchOptions(min_scan=80))
    assert number in neighbors.fingerprints[0]
    assert neighbors.n_scanned < 140


def test_tables_stay_within_the_bits(vectors: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="within the 16 there are, found 4 of 5"):
        made(vectors, 4, 5)
    with pytest.raises(ConfigError, match="binary code: expected"):
        BinaryCode(np.eye(DIM, dtype=np.float32), np.zeros(8, np.float32), np.eye(DIM, dtype=np.float32))
