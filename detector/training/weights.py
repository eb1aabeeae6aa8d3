"""The shipped network's numbers: folded float weights and the int8 grids of its activations."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_arrays
from nowplaying_core.errors import CorruptArtifactError

__all__ = [
    "FoldedWeights",
    "QuantizedRange",
    "activation_grid",
    "equalized",
    "load_weights",
    "on_shared_grids",
    "save_weights",
    "weight_scale",
]

Array = NDArray[np.float32]
_DEPTHWISE_ZERO_POINT = -112  # inputs are never negative, so what a depthwise layer puts out rarely is far below zero
_LOGIT_SCALE = 1 / 16


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


def activation_grid(name: str) -> QuantizedRange:
    """Return the int8 grid of an activation; the input's is that of ``"pointwise.0"``.

    A network of ReLUs may be rescaled layer by layer, so the grids are the same for every training, in steps of 1.
    With kernels in steps of a power of two, every rescaling on the device is then a shift, and a bias has its
    kernel's grid. Grids that many tensors share are stored once, which is what keeps the graph below 12 KB.

    Parameters
    ----------
    name : str
        ``"depthwise.0"``, ``"pointwise.0"``, ..., ``"hidden"`` or ``"logit"``.
    """
    if name == "logit":
        return QuantizedRange(_LOGIT_SCALE, 0)
    if name.startswith("depthwise"):
        return QuantizedRange(1.0, _DEPTHWISE_ZERO_POINT)
    return QuantizedRange(1.0, -128)


def weight_scale(largest: float) -> float:
    """Return the int8 step of a kernel whose largest magnitude is given: the least power of two that holds it."""
    return float(2.0 ** np.ceil(np.log2(max(largest, 1e-12) / 127)))


def on_shared_grids(weights: FoldedWeights, largest: Mapping[str, tuple[float, float]]) -> FoldedWeights:
    """Return the same network, rescaled so that its activations fill the grids of ``activation_grid``.

    Parameters
    ----------
    weights : FoldedWeights
    largest : mapping of str to (float, float)
        Lowest and highest value of every activation to be kept from saturating, by its name.
    """

    def factor(name: str) -> float:
        grid = activation_grid(name)
        low, high = largest[name]
        wanted = [grid.high / high] if high > 0 else []
        if low < 0 and grid.low < 0:
            wanted.append(grid.low / low)
        return min(wanted, default=1.0)

    named, before = weights.arrays(), 1.0
    for layer in range(len(weights.depthwise)):
        between, after = factor(f"depthwise.{layer}"), factor(f"pointwise.{layer}")
        named[f"depthwise.{layer}"] = (weights.depthwise[layer] * (between / before)).astype(np.float32)
        named[f"pointwise.{layer}"] = (weights.pointwise[layer] * (after / between)).astype(np.float32)
        named[f"bias.{layer}"] = (weights.bias[layer] * after).astype(np.float32)
        before = after
    hidden = factor("hidden")
    named["hidden"] = (weights.hidden * (hidden / before)).astype(np.float32)
    named["hidden_bias"] = (weights.hidden_bias * hidden).astype(np.float32)
    named["logit"] = (weights.logit / hidden).astype(np.float32)
    return FoldedWeights.from_arrays(named)


def save_weights(path: Path, weights: FoldedWeights) -> None:
    """Write the weights as one ``.npz`` of plain arrays."""
    write_arrays(path, weights.arrays())


def load_weights(path: Path) -> FoldedWeights:
    """Read what ``save_weights`` wrote.

    Raises
    ------
    CorruptArtifactError
        When the file is missing or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return FoldedWeights.from_arrays({name: archive[name] for name in archive.files})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        message = f"{path}: expected the detector's float weights ({error}); train again or restore the file"
        raise CorruptArtifactError(message) from error
