"""Layer by layer: how far int8 kernels lie from the trained ones, and int8 activations from those in float."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from export.operators import OPERATOR_NAMES, builtin_code, open_graph
from export.parity.numpy_graph import is_weighted, parameters
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TfliteModel

__all__ = ["FloatLayer", "LayerError", "WeightedLayer", "compare_graphs", "compare_layers", "weighted_layers"]


@dataclass(frozen=True, slots=True)
class FloatLayer:
    """Parameters and outputs of a layer in float.

    Attributes
    ----------
    name : str
    kernel : ndarray, in the graph's layout
    bias : ndarray, shape (channels,)
    outputs : ndarray of float64, shape (n, ...)
        For the same n inputs as the int8 graph ran on.
    """

    name: str
    kernel: NDArray[Any]
    bias: NDArray[Any]
    outputs: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeightedLayer:
    """A convolution or product of a quantized graph.

    Attributes
    ----------
    operator : str
    shape : tuple of int
        Of its output.
    output : int
        The tensor's number.
    kernel : ndarray of float64
        In real values.
    kernel_scale : ndarray of float64
        Steps, in a shape that broadcasts with the kernel's.
    bias, bias_scale : ndarray of float64, shape (channels,) and (1,) or (channels,)
    scale : float
        Step of the output.
    zero_point : int
    """

    operator: str
    shape: tuple[int, ...]
    output: int
    kernel: NDArray[np.float64]
    kernel_scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    bias_scale: NDArray[np.float64]
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class LayerError:
    """Quantization error of one layer, including the errors of the layers before it.

    Attributes
    ----------
    layer, operator : str
    shape : tuple of int
    kernel_steps, bias_steps : float
        Largest distance of a weight from the trained one, in steps of its grid; rounding to nearest gives at most 0.5.
    snr_db : float
        Power of the float outputs over that of the error.
    error_steps : float
        RMS error in steps of the output's grid.
    saturated : float in [0, 1]
        Share of outputs at the top of the grid.
    """

    layer: str
    operator: str
    shape: tuple[int, ...]
    kernel_steps: float
    bias_steps: float
    snr_db: float
    error_steps: float
    saturated: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, rounded."""
        plain = {**asdict(self), "shape": list(self.shape)}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}

    def cells(self) -> list[str]:
        """Return the row of a table."""
        shape = " x ".join(map(str, self.shape))
        steps = f"{self.kernel_steps:.3f}", f"{self.bias_steps:.3f}"
        return [
            *(self.layer, self.operator, shape, *steps),
            *(f"{self.snr_db:.1f}", f"{self.error_steps:.2f}", f"{100 * self.saturated:.2f} %"),
        ]


def weighted_layers(graph: bytes) -> list[WeightedLayer]:
    """Return a quantized graph's layers with weights, in the order in which they run."""
    model, subgraph = open_graph(graph)
    layers = []
    for operator in subgraph.operators:
        if not is_weighted(model, operator):
            continue
        weights, output = subgraph.tensors[operator.inputs[1]], subgraph.tensors[operator.outputs[0]]
        kernel, bias = parameters(model, subgraph, operator)
        if weights.type != schema.TensorType.INT8 or output.type != schema.TensorType.INT8:
            message = f"expected int8 weights and outputs, found {output.name!r} in another type; compare int8 graphs"
            raise ManifestMismatchError(message)
        scale = np.asarray(weights.quantization.scale, dtype=np.float64)
        shape = [1] * kernel.ndim
        shape[weights.quantization.quantizedDimension if len(scale) > 1 else 0] = len(scale)
        layers.append(
            WeightedLayer(
                operator=OPERATOR_NAMES[builtin_code(model, operator)],
                shape=tuple(int(size) for size in output.shape),
                output=int(operator.outputs[0]),
                kernel=kernel,
                kernel_scale=scale.reshape(shape),
                bias=bias,
                bias_scale=_bias_scale(subgraph, operator),
                scale=float(output.quantization.scale[0]),
                zero_point=int(output.quantization.zeroPoint[0]),
            )
        )
    return layers


def _bias_scale(subgraph: Any, operator: Any) -> NDArray[np.float64]:
    given = [index for index in operator.inputs[2:3] if index >= 0]
    return np.asarray(subgraph.tensors[given[0]].quantization.scale if given else [1.0], dtype=np.float64)


def compare_layers(
    layers: Sequence[WeightedLayer], outputs: Sequence[NDArray[np.int8]], expected: Sequence[FloatLayer]
) -> list[LayerError]:
    """Compare a quantized graph with the float network that it was made from.

    Parameters
    ----------
    layers : sequence of WeightedLayer
    outputs : sequence of ndarray of int8, shape (n, ...)
        Outputs of each layer.
    expected : sequence of FloatLayer
        In the same order.

    Raises
    ------
    ManifestMismatchError
        When they are not two forms of one network.
    """
    shapes = [layer.kernel.shape for layer in layers], [one.kernel.shape for one in expected]
    if [_without_ones(shape) for shape in shapes[0]] != [_without_ones(shape) for shape in shapes[1]]:
        message = f"expected kernels {shapes[1]} as trained, found {shapes[0]} in the graph; give this model's weights"
        raise ManifestMismatchError(message)
    return [_error(*parts) for parts in zip(layers, outputs, expected, strict=True)]


def compare_graphs(
    path: Path, values: NDArray[np.floating], graph: bytes, tensors: Mapping[int, NDArray[Any]]
) -> list[LayerError]:
    """Compare a quantized graph with a float graph of the same network, layer by layer.

    Parameters
    ----------
    path : Path
        The quantized graph, which is run in the reference kernels.
    values : ndarray of float, shape (n, ...)
        Inputs, in real values.
    graph : bytes
        The float graph.
    tensors : mapping of int to ndarray
        What it computes of these values, as :func:`export.parity.numpy_graph.run_graph` returns it.

    Raises
    ------
    ManifestMismatchError
        When they are not two forms of one network.
    """
    model, subgraph = open_graph(graph)
    expected = []
    for operator in subgraph.operators:
        if is_weighted(model, operator):
            kernel, bias, output = *parameters(model, subgraph, operator), int(operator.outputs[0])
            name = _layer_name(subgraph.tensors[output].name.decode())
            expected.append(FloatLayer(name, kernel, bias, tensors[output]))
    found = weighted_layers(path.read_bytes())
    runtime = TfliteModel(path, keep_tensors=True, reference_kernels=True)
    outputs: list[list[NDArray[Any]]] = [[] for _ in found]
    for value in values:
        runtime.run(runtime.input.quantize(value[None]))
        for kept, layer in zip(outputs, found, strict=True):
            kept.append(runtime.tensor(layer.output))
    return compare_layers(found, [np.concatenate(parts) for parts in outputs], expected)


def _layer_name(tensor: str) -> str:
    """Return the Keras layer that a tensor comes from: ``graph_1/raw_encoder_1/stem_relu_1/Relu;...``."""
    parts = tensor.split(";", maxsplit=1)[0].split("/")
    return parts[-2].removesuffix("_1") if len(parts) > 1 else tensor


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a kernel's shape; one without rows and columns is a fully connected layer's and a 1 x 1 convolution's."""
    return tuple(size for size in shape if size != 1)


def _error(layer: WeightedLayer, outputs: NDArray[np.int8], expected: FloatLayer) -> LayerError:
    real = (outputs.astype(np.float64) - layer.zero_point) * layer.scale
    wanted = expected.outputs.reshape(real.shape)
    kernel = expected.kernel.reshape(layer.kernel.shape)
    noise, power = np.mean((real - wanted) ** 2), np.mean(wanted**2)
    return LayerError(
        layer=expected.name,
        operator=layer.operator,
        shape=layer.shape,
        kernel_steps=float(np.abs((layer.kernel - kernel) / layer.kernel_scale).max()),
        bias_steps=float(np.abs((layer.bias - expected.bias) / layer.bias_scale).max()),
        snr_db=float(10.0 * np.log10((power + 1e-30) / (noise + 1e-30))),
        error_steps=float(np.sqrt(noise) / layer.scale),
        saturated=float(np.mean(outputs == 127)),
    )
