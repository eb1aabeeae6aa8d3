"""The second stage's graph as tables for ``detector_second_stage.c``: layers, filters, and the logistic function."""

import math
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from export.operators import OPERATOR_NAMES, builtin_code, open_graph
from export.reference_network import logistic_table, quantized_multiplier
from nowplaying_core.errors import CorruptArtifactError

__all__ = ["second_stage_tables"]

_OPERATOR: Final = schema.BuiltinOperator
_KINDS: Final = {
    _OPERATOR.CONV_2D: "CONVOLUTION",
    _OPERATOR.FULLY_CONNECTED: "FULLY_CONNECTED",
    _OPERATOR.DEPTHWISE_CONV_2D: "DEPTHWISE",
    _OPERATOR.AVERAGE_POOL_2D: "AVERAGE",
}
_LOWEST: Final = -128
_Filters = list[tuple[int, int, int]]


def second_stage_tables(graph: bytes) -> dict[str, object]:
    """Return the values that the template of ``detector_second_stage.c`` names.

    The graph is a chain, so activations alternate between two places: each is read once, by the next layer.

    Parameters
    ----------
    graph : bytes
        Of :func:`export.second_stage.second_stage_graph`, or another chain of int8 convolutions, depthwise
        convolutions, averages and fully connected layers without padding, with a logistic function at its end.

    Returns
    -------
    dict
        ``second_network_bytes``, ``second_frames``, ``second_input`` and ``second_logit``, int; ``second_layers`` and
        ``second_filters``, initializers; ``second_logistic``, int8 (256,).

    Raises
    ------
    CorruptArtifactError
        When the graph has another form.
    """
    model, subgraph = open_graph(graph)
    operators = subgraph.operators[:-1]
    codes = [builtin_code(model, operator) for operator in subgraph.operators]
    foreign = sorted({OPERATOR_NAMES[code] for code in codes[:-1] if code not in _KINDS})
    chain = [subgraph.inputs[0], *(operator.outputs[0] for operator in operators)]
    is_chain = chain == [operator.inputs[0] for operator in subgraph.operators]
    if foreign or not is_chain or codes[-1] != _OPERATOR.LOGISTIC:
        found = ", ".join(foreign) or "another order"
        message = f"expected a chain of layers with a logistic function at its end, found {found}; export it again"
        raise CorruptArtifactError(message)
    sizes = [math.prod(_shape(subgraph, number)) for number in chain]
    behind = max(sizes[0::2])
    places = [behind * (number % 2) for number in range(len(chain))]
    # Wherever the same bytes lie: a file may share them.
    data = [0 if buffer.data is None else graph.find(bytes(buffer.data)) for buffer in model.buffers]
    layers: list[str] = []
    filters: _Filters = []
    for number, (operator, code) in enumerate(zip(operators, codes[:-1], strict=True)):
        layer, own = _layer(model, subgraph, operator, code)
        place = f"{places[number]}U, {places[number + 1]}U"
        weights = data[subgraph.tensors[operator.inputs[1]].buffer] if own else 0
        shape, bounds = layer
        layers.append(f"    {{{_KINDS[code]}, {shape}, {place}, {weights}U, {len(filters)}U, {bounds}}}")
        filters += own
    return {
        "second_network_bytes": behind + max(sizes[1::2]),
        "second_frames": _shape(subgraph, chain[0])[1],
        "second_input": places[0],
        "second_logit": places[-1],
        "second_layers": ",\n".join(layers),
        "second_filters": ",\n".join(f"    {{{', '.join(map(str, one))}}}" for one in filters),
        "second_logistic": logistic_table(model),
    }


def _shape(subgraph: Any, number: int) -> list[int]:
    """Return a shape of four axes: rows and columns of one where there are none."""
    shape = [int(size) for size in subgraph.tensors[number].shape]
    return shape if len(shape) == 4 else [shape[0], 1, 1, shape[-1]]


def _layer(model: Any, subgraph: Any, operator: Any, code: int) -> tuple[tuple[str, str], _Filters]:
    """Return the fields of one ``Layer`` on both sides of its places, and its filters."""
    source, target = (subgraph.tensors[number] for number in (operator.inputs[0], operator.outputs[0]))
    shapes = [_shape(subgraph, number)[1:] for number in (operator.inputs[0], operator.outputs[0])]
    options, is_pool = operator.builtinOptions, code == _OPERATOR.AVERAGE_POOL_2D
    if code == _OPERATOR.FULLY_CONNECTED:
        kernel, strides = shapes[0][:2], [1, 1]
    else:
        strides = [int(options.strideH), int(options.strideW)]
        kernel = [int(options.filterHeight), int(options.filterWidth)] if is_pool else _kernel(subgraph, operator)
    _require_plain(options, code, is_same_grid=not is_pool or _grid(source) == _grid(target))
    output_zero = int(target.quantization.zeroPoint[0])
    is_relu = options.fusedActivationFunction == schema.ActivationFunctionType.RELU
    fields = [f"{{{', '.join(f'{size}U' for size in shape)}}}" for shape in shapes]
    fields += [f"{size}U" for size in (*kernel, *strides)]
    bounds = f"{output_zero}, {output_zero if is_relu else _LOWEST}"
    return (", ".join(fields), bounds), [] if is_pool else _filters(model, subgraph, operator, code)


def _kernel(subgraph: Any, operator: Any) -> list[int]:
    return _shape(subgraph, operator.inputs[1])[1:3]


def _grid(tensor: Any) -> tuple[float, int]:
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def _require_plain(options: Any, code: int, *, is_same_grid: bool) -> None:
    """Raise for what the C code does not compute."""
    valid = schema.Padding.VALID
    activations = (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU)
    plain = options.fusedActivationFunction in activations and is_same_grid
    if code != _OPERATOR.FULLY_CONNECTED:
        plain = plain and options.padding == valid
    if code in (_OPERATOR.CONV_2D, _OPERATOR.DEPTHWISE_CONV_2D):
        plain = plain and (options.dilationHFactor, options.dilationWFactor) == (1, 1)
    if code == _OPERATOR.DEPTHWISE_CONV_2D:
        plain = plain and options.depthMultiplier == 1
    if not plain:
        message = (
            f"{OPERATOR_NAMES[code]}: expected no padding, no dilation, a multiplier of 1, and at most a cut below "
            "zero, found another; export it again"
        )
        raise CorruptArtifactError(message)


def _filters(model: Any, subgraph: Any, operator: Any, code: int) -> _Filters:
    """Return bias, multiplier and shift of every channel; the input's zero point is moved into the bias."""
    source, weights, bias = (subgraph.tensors[number] for number in operator.inputs)
    target = subgraph.tensors[operator.outputs[0]]
    kernel: NDArray[np.int8] = np.frombuffer(bytes(model.buffers[weights.buffer].data), dtype=np.int8)
    offsets = np.frombuffer(bytes(model.buffers[bias.buffer].data), dtype="<i4").astype(np.int64)
    is_depthwise = code == _OPERATOR.DEPTHWISE_CONV_2D
    sums = kernel.reshape((-1, len(offsets)) if is_depthwise else (len(offsets), -1)).sum(
        axis=0 if is_depthwise else 1, dtype=np.int64
    )
    biases = offsets - int(source.quantization.zeroPoint[0]) * sums
    (input_scale,), (output_scale,) = source.quantization.scale, target.quantization.scale
    weight_scales = np.asarray(weights.quantization.scale, dtype=np.float32)
    if code == _OPERATOR.FULLY_CONNECTED and len(weight_scales) == 1:
        # The reference kernel multiplies these two in single precision.
        scales = [float(np.float32(input_scale) * weight_scales[0]) / float(output_scale)] * len(offsets)
    else:
        per_channel = np.broadcast_to(weight_scales, len(offsets)).tolist()
        scales = [float(input_scale) * scale / float(output_scale) for scale in per_channel]
    if np.abs(biases).max() >= 1 << 30 or np.any(np.asarray(weights.quantization.zeroPoint) != 0):
        message = "expected weights around zero and biases below 2**30, found others; export it again"
        raise CorruptArtifactError(message)
    multipliers = [quantized_multiplier(scale) for scale in scales]
    return [(int(value), *pair) for value, pair in zip(biases.tolist(), multipliers, strict=True)]
