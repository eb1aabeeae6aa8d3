"""A TFLite graph in NumPy and float64, from the operations' definitions: no interpreter's arithmetic is in it."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from export.operators import OPERATOR_NAMES, builtin_code, open_graph
from nowplaying_core.errors import ConfigError, ManifestMismatchError

__all__ = ["constant", "is_weighted", "parameters", "run_graph"]

Array = NDArray[np.float64]
_OPERATOR: Final = schema.BuiltinOperator
_ACTIVATION: Final = schema.ActivationFunctionType
_WEIGHTED: Final = (_OPERATOR.CONV_2D, _OPERATOR.DEPTHWISE_CONV_2D, _OPERATOR.FULLY_CONNECTED)
_DTYPES: Final = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}


def is_weighted(model: Any, operator: Any) -> bool:
    """Say whether an operation multiplies by trained weights, which are its second input."""
    return builtin_code(model, operator) in _WEIGHTED


def constant(model: Any, tensor: Any) -> NDArray[Any] | None:
    """Return a tensor's constant content in real values, or None where it is computed.

    Integers with a scale are dequantized, each channel by its own; indices and shapes stay integers.
    """
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0:
        return None
    values = np.frombuffer(bytes(data), dtype=_DTYPES[tensor.type]).reshape([int(size) for size in tensor.shape])
    grid = tensor.quantization
    if grid is None or grid.scale is None or len(grid.scale) == 0:
        return values
    shape = [1] * values.ndim
    if len(grid.scale) > 1:
        shape[grid.quantizedDimension] = len(grid.scale)
    scale, zero = (np.asarray(part, dtype=np.float64).reshape(shape) for part in (grid.scale, grid.zeroPoint))
    return (values - zero) * scale


def parameters(model: Any, subgraph: Any, operator: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return kernel and bias of an operation with weights, in real values; one zero where it has no bias.

    Raises
    ------
    ManifestMismatchError
        When its kernel is computed.
    """
    kernel = constant(model, subgraph.tensors[operator.inputs[1]])
    if kernel is None:
        message = f"expected constant weights, found {subgraph.tensors[operator.inputs[1]].name!r} computed"
        raise ManifestMismatchError(message)
    given = [index for index in operator.inputs[2:3] if index >= 0]
    bias = constant(model, subgraph.tensors[given[0]]) if given else None
    return kernel, np.zeros(1) if bias is None else bias


def run_graph(graph: bytes, values: NDArray[np.floating]) -> dict[int, Array]:
    """Return every tensor that a graph of one input computes, by its number; rows of a batch run at once.

    Quantized graphs run in float: their weights are what they are on their grids, their activations are not rounded.

    Parameters
    ----------
    graph : bytes
    values : ndarray of float, shape (n, ...)
        In real values, as the graph's input but for the first axis.

    Raises
    ------
    ConfigError
        When the graph has an operation without a NumPy form here.
    """
    model, subgraph = open_graph(graph)
    tensors: dict[int, Any] = {int(subgraph.inputs[0]): np.asarray(values, dtype=np.float64)}
    for number, tensor in enumerate(subgraph.tensors):
        if (content := constant(model, tensor)) is not None:
            tensors[number] = content
    for operator in subgraph.operators:
        code = builtin_code(model, operator)
        form = _FORMS.get(code)
        if form is None:
            message = f"no NumPy form of {OPERATOR_NAMES.get(code, code)} is written"
            raise ConfigError(message)
        taken = [tensors[int(index)] for index in operator.inputs if index >= 0]
        output = int(operator.outputs[0])
        shape = [int(size) for size in subgraph.tensors[output].shape]
        tensors[output] = form(operator.builtinOptions, shape, *taken)
    return {index: value for index, value in tensors.items() if constant(model, subgraph.tensors[index]) is None}


def _activated(values: Array, options: Any) -> Array:
    kind = options.fusedActivationFunction
    if kind == _ACTIVATION.NONE:
        return values
    if kind not in {_ACTIVATION.RELU, _ACTIVATION.RELU6}:
        message = f"no NumPy form of the fused activation {kind} is written"
        raise ConfigError(message)
    rectified: Array = np.maximum(values, 0.0)
    return np.minimum(rectified, 6.0) if kind == _ACTIVATION.RELU6 else rectified


def _patches(values: Array, kernel: tuple[int, int], options: Any) -> Array:
    """Return what each output of a convolution sees: (n, rows, columns, channels, kernel rows, kernel columns)."""
    if options.dilationHFactor != 1 or options.dilationWFactor != 1:
        message = "no NumPy form of a dilated convolution is written"
        raise ConfigError(message)
    strides = (options.strideH, options.strideW)
    if options.padding == schema.Padding.SAME:
        short = [
            max((-(-size // stride) - 1) * stride + width - size, 0)
            for size, stride, width in zip(values.shape[1:3], strides, kernel, strict=True)
        ]
        values = np.pad(values, [(0, 0), *((one // 2, one - one // 2) for one in short), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel, axis=(1, 2))
    return windows[:, :: strides[0], :: strides[1]]


def _convolution(options: Any, _shape: list[int], values: Array, kernel: Array, *bias: Array) -> Array:
    """Kernel: (filters, rows, columns, channels)."""
    seen = _patches(values, (kernel.shape[1], kernel.shape[2]), options)
    product = np.tensordot(seen, kernel.transpose(3, 1, 2, 0), axes=3)
    return _activated(product + (bias[0] if bias else 0.0), options)


def _depthwise(options: Any, _shape: list[int], values: Array, kernel: Array, *bias: Array) -> Array:
    """Kernel: (1, rows, columns, channels x multiplier), a channel's outputs side by side."""
    seen = _patches(values, (kernel.shape[1], kernel.shape[2]), options)
    split = kernel[0].reshape(*kernel.shape[1:3], values.shape[-1], -1)
    product = np.einsum("nxycij,ijcm->nxycm", seen, split, optimize=True)
    flat = product.reshape(*product.shape[:3], -1)
    return _activated(flat + (bias[0] if bias else 0.0), options)


def _average(options: Any, _shape: list[int], values: Array) -> Array:
    if options.padding == schema.Padding.SAME:
        message = "no NumPy form of an average with padding is written"
        raise ConfigError(message)
    kernel = (options.filterHeight, options.filterWidth)
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel, axis=(1, 2))
    means: Array = windows[:, :: options.strideH, :: options.strideW].mean(axis=(-2, -1))
    return _activated(means, options)


def _dense(options: Any, _shape: list[int], values: Array, kernel: Array, *bias: Array) -> Array:
    if values.shape[-1] != kernel.shape[-1]:  # an image, which the operation takes as one row
        values = values.reshape(len(values), -1)
    return _activated(values @ kernel.T + (bias[0] if bias else 0.0), options)


def _reshape(_options: Any, shape: list[int], values: Array, *_: Any) -> Array:
    return values.reshape(len(values), *shape[1:])


def _combined(combine: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def form(options: Any, _shape: list[int], first: Array, second: Array) -> Array:
        return _activated(combine(first, second), options)

    return form


_FORMS: Final[dict[int, Callable[..., Array]]] = {
    _OPERATOR.CONV_2D: _convolution,
    _OPERATOR.DEPTHWISE_CONV_2D: _depthwise,
    _OPERATOR.AVERAGE_POOL_2D: _average,
    _OPERATOR.FULLY_CONNECTED: _dense,
    _OPERATOR.RESHAPE: _reshape,
    _OPERATOR.TRANSPOSE: lambda _options, _shape, values, order: values.transpose(order),
    _OPERATOR.ADD: _combined(np.add),
    _OPERATOR.SUB: _combined(np.subtract),
    _OPERATOR.MUL: _combined(np.multiply),
    _OPERATOR.RELU: lambda _options, _shape, values: np.maximum(values, 0.0),
    _OPERATOR.LOGISTIC: lambda _options, _shape, values: 1.0 / (1.0 + np.exp(-values)),
    _OPERATOR.QUANTIZE: lambda _options, _shape, values: values,
    _OPERATOR.DEQUANTIZE: lambda _options, _shape, values: values.astype(np.float64),
}
