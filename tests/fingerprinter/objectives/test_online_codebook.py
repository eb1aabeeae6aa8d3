import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.online_codebook import OnlineCodebook

pytestmark = pytest.mark.train


def clustered(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Return unit rows near a few directions, with a rest that a product code of two bytes can describe."""
    centres = np.random.default_rng(7).standard_normal((5, 8))
    rows = centres[rng.integers(5, size=n_rows)] + 0.3 * rng.standard_normal((n_rows, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def cosine(codebook: OnlineCodebook, rows: np.ndarray) -> float:
    return float(np.mean(np.sum(np.asarray(codebook(rows, training=False)) * rows, axis=1)))


def test_codes_come_near_the_rows_that_they_learn_from(rng):
    codebook = OnlineCodebook(2, n_cells=4)
    codebook(clustered(rng, 64), training=True)
    test = clustered(rng, 500)
    begun = cosine(codebook, test)
    for _ in range(100):
        decoded = np.asarray(codebook(clustered(rng, 64), training=True))
    assert cosine(codebook, test) > max(0.95, begun + 0.02)
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1.0, atol=1e-5)
    assert cosine(OnlineCodebook(2, n_cells=4), test) == 0  # one that has learned nothing


def test_a_centroid_that_nobody_chooses_is_put_elsewhere(rng):
    codebook = OnlineCodebook(2, n_cells=4)
    for _ in range(3):
        codebook(clustered(rng, 64), training=True)
    cells = np.asarray(codebook.cells).copy()
    cells[0, 1] = 100.0
    codebook.cells.assign(cells)
    codebook.cells_counts.assign(np.ones((1, 4), np.float32))
    for _ in range(80):
        codebook(clustered(rng, 64), training=True)
    assert np.abs(np.asarray(codebook.cells)).max() < 1.5


def test_outside_of_training_nothing_is_learned(rng):
    codebook = OnlineCodebook(2, n_cells=4)
    codebook(clustered(rng, 64), training=True)
    before = [np.asarray(weight).copy() for weight in codebook.weights]
    codebook(clustered(rng, 64), training=False)
    assert all(np.array_equal(old, np.asarray(new)) for old, new in zip(before, codebook.weights, strict=True))
    assert not codebook.trainable_variables


def test_bytes_must_divide_the_dimensions(rng):
    with pytest.raises(ValueError, match="must divide"):
        OnlineCodebook(3)(clustered(rng, 4))
