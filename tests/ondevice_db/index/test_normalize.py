"""Unit rows, and decoded vectors divided by a power of their length."""

import numpy as np

from ondevice_db.index.normalize import l2_normalize, power_normalize


def test_l2_normalize_leaves_zero_rows_alone(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((5, 96))
    rows[2] = 0
    found = l2_normalize(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0, 1, 1], rtol=1e-6)


def test_power_normalize_leaves_unit_vectors_alone(rng: np.random.Generator) -> None:
    vectors = l2_normalize(rng.standard_normal((40, 96)))
    np.testing.assert_allclose(power_normalize(vectors), vectors, atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(power_normalize(vectors * np.float32(0.64)), axis=1), 0.64**-0.5, rtol=1e-5
    )
    assert not power_normalize(np.zeros((2, 96), np.float32)).any()
