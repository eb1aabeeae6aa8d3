import numpy as np
import pytest

from ondevice_db.index.coarse_quantizer import EXHAUSTIVE_CELLS, CoarseQuantizer
from ondevice_db.index.normalize import l2_normalize
from tests.ondevice_db.material import walk


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([walk(rng, 100) for _ in range(6)])


def exact(directions: np.ndarray, vectors: np.ndarray, n: int) -> np.ndarray:
    return np.argsort(-(vectors @ directions.T), axis=1, kind="stable")[:, :n]


def test_few_cells_are_compared_exhaustively(vectors: np.ndarray, rng: np.random.Generator) -> None:
    directions = l2_normalize(rng.standard_normal((300, 96)))
    np.testing.assert_array_equal(CoarseQuantizer(directions).nearest(vectors, 4), exact(directions, vectors, 4))


def test_groups_find_most_of_the_nearest_among_many_cells(rng: np.random.Generator) -> None:
    points = np.concatenate([walk(rng, 60) for _ in range(60)])
    directions = points[: EXHAUSTIVE_CELLS + 400]
    vectors = l2_normalize(directions[::7] + 0.05 * rng.standard_normal((len(directions[::7]), 96)))
    found = CoarseQuantizer(directions).nearest(vectors, 4)
    wanted = exact(directions, vectors, 4)
    assert np.mean(found[:, 0] == wanted[:, 0]) > 0.95
    assert np.mean([len(set(a) & set(b)) / 4 for a, b in zip(found, wanted, strict=True)]) > 0.6
    assert all(len(set(row)) == 4 for row in found)
    similarities = np.take_along_axis(vectors @ directions.T, found, axis=1)
    assert (np.diff(similarities, axis=1) <= 1e-6).all()
