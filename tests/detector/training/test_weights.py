from pathlib import Path

import numpy as np
import pytest

from detector.training.weights import (
    FoldedWeights,
    activation_grid,
    equalized,
    load_weights,
    on_shared_grids,
    save_weights,
    weight_scale,
)
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError
from tests.detector.networks import run


def made(seed: int = 0, n_layers: int = 3) -> FoldedWeights:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return (rng.normal(0, 0.5, shape) * np.exp(rng.normal(0, 1, shape[-1]))).astype(np.float32)

    return FoldedWeights(
        depthwise=tuple(draw(4, 6) for _ in range(n_layers)),
        pointwise=tuple(draw(6, 6) for _ in range(n_layers)),
        bias=tuple(draw(6) for _ in range(n_layers)),
        hidden=draw(12, 3),
        hidden_bias=draw(3),
        logit=draw(3, 1),
        logit_bias=draw(1),
    )


def test_the_reference_is_the_definition() -> None:
    """One output of each kind, by hand."""
    weights, seen = made(), {}
    run(weights, FRAMES, seen)
    depthwise = sum(weights.depthwise[0][tap, 3] * FRAMES[2 * 5 + tap, 3] for tap in range(4))
    assert seen["depthwise.0"][5, 3] == pytest.approx(depthwise, rel=1e-5)
    row = seen["depthwise.1"][2]
    pointwise = max(0.0, sum(row[c] * weights.pointwise[1][c, 4] for c in range(6)) + weights.bias[1][4])
    assert seen["pointwise.1"][2, 4] == pytest.approx(pointwise, rel=1e-5, abs=1e-6)


FRAMES = np.random.default_rng(1).random((30, 6)).astype(np.float32)


def test_equalized_is_the_same_function_with_balanced_channels() -> None:
    weights = made()
    balanced = equalized(weights)
    assert run(balanced, FRAMES) == pytest.approx(run(weights, FRAMES), rel=1e-4)

    def spread(one: FoldedWeights) -> float:
        largest = np.abs(one.depthwise[1]).max(axis=0)
        return float(largest.max() / largest.min())

    assert spread(balanced) < spread(weights)


def test_shared_grids_keep_the_function_and_fill_the_range() -> None:
    weights, seen = made(), {}
    expected = run(weights, FRAMES, seen)
    moved = on_shared_grids(weights, {name: (float(v.min()), float(v.max())) for name, v in seen.items()})
    after: dict = {}
    assert run(moved, FRAMES, after) == pytest.approx(expected, rel=1e-4)
    for name, values in after.items():
        grid = activation_grid(name)
        assert values.max() <= grid.high * 1.001
        assert values.min() >= grid.low * 1.001
        assert values.max() > 0.99 * grid.high or values.min() < 0.99 * grid.low or not values.any()


@pytest.mark.parametrize("largest", [1e-6, 0.3, 0.5, 1.0, 126.0, 127.0, 128.0])
def test_weight_scale_is_the_least_power_of_two_that_holds_the_kernel(largest: float) -> None:
    scale = weight_scale(largest)
    assert np.log2(scale) == np.rint(np.log2(scale))
    assert 127 * scale >= largest > 127 * scale / 2


def test_save_and_load(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.npz", made(3))
    loaded = load_weights(tmp_path / "w.npz")
    assert all(np.array_equal(value, made(3).arrays()[name]) for name, value in loaded.arrays().items())


@pytest.mark.parametrize("content", [b"", b"not an archive", None])
def test_damaged_weights_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=r"w\.npz"):
        load_weights(path)


def test_shipped_weights_have_the_shipped_shape() -> None:
    weights = load_weights(builtin_model_dir(SHIPPED_DETECTOR) / "weights.npz")
    assert weights.depthwise[0].shape == (4, 40)
    assert [kernel.shape for kernel in weights.depthwise[1:]] == [(4, 24)] * 5
    assert weights.n_parameters == 5_601
