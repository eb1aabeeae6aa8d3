import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.regularizers import decorrelation, distillation, quantization_error

pytestmark = pytest.mark.train


def test_decorrelation_is_the_mean_squared_correlation(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((50, 6)).astype(np.float32) @ rng.standard_normal((6, 6)).astype(np.float32)
    correlation = np.corrcoef(rows.T)
    off_diagonal = correlation[~np.eye(6, dtype=bool)]
    assert float(decorrelation(rows)) == pytest.approx(np.mean(off_diagonal**2), rel=1e-3)


def test_decorrelation_lies_between_independent_and_repeated_dimensions(rng: np.random.Generator) -> None:
    column = rng.standard_normal((100, 1)).astype(np.float32)
    assert float(decorrelation(np.repeat(column, 4, axis=1))) == pytest.approx(1.0, abs=1e-3)
    assert float(decorrelation(rng.standard_normal((2000, 4)).astype(np.float32))) < 0.01


def test_distillation_is_twice_one_minus_the_cosine_of_unit_rows(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((2, 10, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    expected = np.mean(2 - 2 * np.sum(rows[0] * rows[1], axis=1))
    assert float(distillation(rows[0], rows[1])) == pytest.approx(expected, rel=1e-4)


def test_quantization_error_equals_the_loops(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((10, 6)).astype(np.float32)
    total = 0.0
    for row in range(10):
        for part in (slice(0, 3), slice(3, 6)):
            others = [other for other in range(10) if other % 5 != row % 5]
            total += min(float(np.sum((rows[row, part] - rows[other, part]) ** 2)) for other in others)
    assert float(quantization_error(rows, 2)) == pytest.approx(total / 10, rel=1e-4)


def test_vectors_made_of_shared_parts_cost_nothing() -> None:
    first, second = np.eye(2, dtype=np.float32)
    rows = np.stack([np.concatenate([one, other]) for one in (first, second) for other in (first, second)])
    rows = np.concatenate([rows, rows])
    assert float(quantization_error(rows, 2)) == pytest.approx(0.0, abs=1e-6)
