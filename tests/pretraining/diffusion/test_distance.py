import numpy as np
import pytest

from pretraining.diffusion.distance import kernel_distance


def unit(rng: np.random.Generator, n: int, shift: float = 0.0) -> np.ndarray:
    rows = rng.standard_normal((n, 16)) + shift * np.eye(16)[0]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_unbiased_estimate_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    a, b = unit(rng, 6), unit(rng, 6, 2.0)
    kernel = lambda x, y: (float(x @ y) + 1.0) ** 3  # noqa: E731
    found = []
    for rows in (range(3), range(3, 6)):
        within = [kernel(s[i], s[j]) for s in (a, b) for i in rows for j in rows if i != j]
        across = [kernel(a[i], b[j]) for i in rows for j in rows]
        found.append(2 * np.mean(within) - 2 * np.mean(across))
    assert kernel_distance(a, b).value == pytest.approx(1e3 * np.mean(found), rel=1e-4)


def test_equal_sounds_are_no_distance_apart_and_others_the_further_the_more_they_differ() -> None:
    rng = np.random.default_rng(1)
    real = unit(rng, 2048)
    same, near, far = (kernel_distance(real, unit(rng, 2048, shift)) for shift in (0.0, 0.3, 1.0))
    assert same.low < 0 < same.high
    assert 0 < near.low < near.value < near.high < far.low


def test_the_interval_holds_nothing_in_19_of_20_draws() -> None:
    holding = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = kernel_distance(unit(rng, 64), unit(rng, 64))
        holding += found.low <= 0 <= found.high
    assert holding >= 34
