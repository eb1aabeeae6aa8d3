"""The shipped network's numbers: folded float weights and the int8 grids of its activations."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying.artifacts import write_atomic
from nowplaying.errors import CorruptArtifactError

__all__ = ["FoldedWeights", "QuantizedRange", "equalized", "load_weights", "range_for", "save_weights"]

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QuantizedRange:
    """An asymmetric int8 grid: real value = scale x (q - zero_point), q in [-128, 127].

    Attributes
    ----------
    scale : float > 0
    zero_point : int in [-128, 127]
    """

    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        """Smallest real value of the grid."""
        return self.scale * (-128 - self.zero_point)

    @property
    def high(self) -> float:
        """Largest real value of the grid."""
        return self.scale * (127 - self.zero_point)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldedWeights:
    """Weights of the network without batch normalisation, all float32.

    Attributes
    ----------
    depthwise : tuple of ndarray, shape (kernel_frames, channels)
    pointwise : tuple of ndarray, shape (channels, filters)
    bias : tuple of ndarray, shape (filters,)
    hidden, logit : ndarray, shape (inputs, units)
    hidden_bias, logit_bias : ndarray, shape (units,)
    """

    depthwise: tuple[Array, ...]
    pointwise: tuple[Array, ...]
    bias: tuple[Array, ...]
    hidden: Array
    hidden_bias: Array
    logit: Array
    logit_bias: Array

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name, layers numbered from 0 as in ``depthwise.0``."""
        named: dict[str, Array] = {}
        for kind in ("depthwise", "pointwise", "bias"):
            named |= {f"{kind}.{layer}": array for layer, array in enumerate(getattr(self, kind))}
        return named | {name: getattr(self, name) for name in ("hidden", "hidden_bias", "logit", "logit_bias")}

    @classmethod
    def from_arrays(cls, named: Mapping[str, Array]) -> "FoldedWeights":
        """Build from what ``arrays`` returned."""
        n_layers = sum(name.startswith("depthwise.") for name in named)

        def layers(kind: str) -> tuple[Array, ...]:
            return tuple(np.asarray(named[f"{kind}.{layer}"], dtype=np.float32) for layer in range(n_layers))

        def single(name: str) -> Array:
            return np.asarray(named[name], dtype=np.float32)

        return cls(
            depthwise=layers("depthwise"),
            pointwise=layers("pointwise"),
            bias=layers("bias"),
            hidden=single("hidden"),
            hidden_bias=single("hidden_bias"),
            logit=single("logit"),
            logit_bias=single("logit_bias"),
        )

    @property
    def n_parameters(self) -> int:
        """Weights and biases in all."""
        return sum(array.size for array in self.arrays().values())


def equalized(weights: FoldedWeights) -> FoldedWeights:
    """Return the same network with every channel's weights of similar size, so that one scale per tensor suffices.

    Between a depthwise and a pointwise convolution there is no activation, and ReLU commutes with positive factors,
    so a channel may be scaled on one side and unscaled on the other (Nagel et al., "Data-free quantization through
    weight equalization and bias correction", ICCV 2019).
    """
    depthwise = [array.astype(np.float64) for array in weights.depthwise]
    pointwise = [array.astype(np.float64) for array in weights.pointwise]
    bias = [array.astype(np.float64) for array in weights.bias]
    for layer in range(len(depthwise)):
        # Both sides of a factor meet at the geometric mean of their largest weights.
        before = np.abs(depthwise[layer]).max(axis=0)
        after = np.abs(pointwise[layer]).max(axis=1)
        factor = np.sqrt(np.maximum(after, 1e-9) / np.maximum(before, 1e-9))
        depthwise[layer] *= factor
        pointwise[layer] /= factor[:, None]
        if layer + 1 < len(depthwise):
            before = np.abs(pointwise[layer]).max(axis=0)
            after = np.abs(depthwise[layer + 1]).max(axis=0)
            factor = np.sqrt(np.maximum(after, 1e-9) / np.maximum(before, 1e-9))
            pointwise[layer] *= factor
            bias[layer] *= factor
            depthwise[layer + 1] /= factor
    named = weights.arrays()
    for layer in range(len(depthwise)):
        named[f"depthwise.{layer}"] = depthwise[layer].astype(np.float32)
        named[f"pointwise.{layer}"] = pointwise[layer].astype(np.float32)
        named[f"bias.{layer}"] = bias[layer].astype(np.float32)
    return FoldedWeights.from_arrays(named)


def range_for(values: Array, tail: float = 1e-5) -> QuantizedRange:
    """Return the grid that covers the values but for a tail on each side, and zero exactly.

    Parameters
    ----------
    values : ndarray of float32
    tail : float in [0, 0.5)
        Share of values that may saturate at either end.
    """
    low = min(0.0, float(np.quantile(values, tail)))
    high = max(0.0, float(np.quantile(values, 1 - tail)))
    scale = max((high - low) / 255, 1e-6)
    return QuantizedRange(float(np.float32(scale)), int(np.clip(np.rint(-128 - low / scale), -128, 127)))


def save_weights(path: Path, weights: FoldedWeights, ranges: Mapping[str, QuantizedRange]) -> None:
    """Write weights and grids as one ``.npz`` of plain arrays."""
    grids = {f"range.{name}": np.array([grid.scale, grid.zero_point]) for name, grid in ranges.items()}

    def save(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **weights.arrays(), **grids)

    write_atomic(path, save)


def load_weights(path: Path) -> tuple[FoldedWeights, dict[str, QuantizedRange]]:
    """Read what ``save_weights`` wrote.

    Raises
    ------
    CorruptArtifactError
        When the file is missing or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            named = {name: archive[name] for name in archive.files}
        grids = {
            name.removeprefix("range."): QuantizedRange(float(value[0]), int(value[1]))
            for name, value in named.items()
            if name.startswith("range.")
        }
        weights = FoldedWeights.from_arrays({name: v for name, v in named.items() if not name.startswith("range.")})
    except (OSError, ValueError, KeyError, IndexError) as error:
        message = f"{path}: expected the detector's float weights ({error}); train again or restore the file"
        raise CorruptArtifactError(message) from error
    return weights, grids
