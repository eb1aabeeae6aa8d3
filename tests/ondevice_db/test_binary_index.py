import numpy as np
import pytest

from nowplaying.errors import ConfigError
from ondevice_db.codebook import unit_rows
from ondevice_db.evaluation.binary_index import BinaryCode, BinaryIndex
from ondevice_db.index import ExactIndex, SearchOptions

DIM = 16


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    rows = unit_rows(rng.standard_normal((500, DIM)))
    rows[7] = 0
    return rows


def made(vectors: np.ndarray, n_tables: int = 2, table_bits: int = 5) -> BinaryIndex:
    code = BinaryCode.of_signs(DIM)
    return BinaryIndex(code, vectors, n_tables=n_tables, table_bits=table_bits, background=vectors[:3])


def test_looking_everywhere_finds_what_comparing_all_decoded_bits_does(
    vectors: np.ndarray, rng: np.random.Generator
) -> None:
    index, queries = made(vectors), unit_rows(rng.standard_normal((3, DIM)))
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
    found = index.probe(unit_rows(rng.standard_normal((4, DIM))), SearchOptions(min_scan=wanted))
    assert wanted <= found.size <= wanted + 40, "a bucket of 32 holds some 16"
    assert len(np.unique(found)) == found.size
    assert 7 not in found


def test_the_first_bucket_is_the_querys_own_and_the_next_turns_its_least_sure_bit(vectors: np.ndarray) -> None:
    index = made(vectors, n_tables=1, table_bits=3)
    query = np.full((1, DIM), 0.3, np.float32)
    query[0, 1] = 0.01
    own = {n for n in range(500) if n != 7 and (vectors[n, :3] > 0).all()}
    turned = {n for n in range(500) if n != 7 and (vectors[n, [0, 2]] > 0).all() and vectors[n, 1] <= 0}
    assert set(index.probe(query, SearchOptions(n_probe=1))) == own
    assert set(index.probe(query, SearchOptions(n_probe=2))) == own | turned


def test_a_stored_vector_finds_itself_in_its_first_bucket(vectors: np.ndarray) -> None:
    index = made(vectors, n_tables=1, table_bits=4)
    hits = index.nearest(vectors[[11, 30]], 5, SearchOptions(n_probe=1))
    assert 11 in hits.fingerprints[0]
    assert 30 in hits.fingerprints[1]
    assert hits.n_scanned < 150


def test_tables_stay_within_the_bits(vectors: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="within the 16 there are, found 4 of 5"):
        made(vectors, 4, 5)
    with pytest.raises(ConfigError, match="binary code: expected"):
        BinaryCode(np.eye(DIM, dtype=np.float32), np.zeros(8, np.float32), np.eye(DIM, dtype=np.float32))
