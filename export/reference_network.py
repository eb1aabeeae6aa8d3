"""A streaming graph as tables for ``detector_network.c``: layers, places in memory, and the logistic function."""

import math
import tempfile
from pathlib import Path
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from export.operators import OPERATOR_NAMES, builtin_code, open_graph
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.runtime import TfliteModel

__all__ = ["logistic_table", "network_tables", "quantized_multiplier"]

_OPERATOR: Final = schema.BuiltinOperator
_LOWEST: Final = -128
_LARGEST: Final = 2**16 - 1  # of the places in the template's Layer and Kept


def network_tables(graph: bytes) -> dict[str, object]:
    """Return the values that the template of ``detector_network.c`` names.

    A state and the frames that are joined to it share one place: the layer before writes its output behind the state,
    and what is kept moves to the beginning after each step. All other outputs alternate between two places, because
    each is read once, by the next layer.

    Parameters
    ----------
    graph : bytes
        A graph of :func:`export.stream_graph.streaming_graph`.

    Returns
    -------
    dict
        ``network_bytes`` and ``logit``, int; ``layers`` and ``kept``, initializers; ``logistic``, int8 (256,).

    Raises
    ------
    CorruptArtifactError
        When the graph has another form or is too large.
    """
    model, subgraph = open_graph(graph)
    places, n_bytes = _places(model, subgraph)
    # Wherever the same bytes lie: a file may share them.
    data = [0 if buffer.data is None else graph.find(bytes(buffer.data)) for buffer in model.buffers]
    layers = [
        _layer(subgraph, operator, places, data, is_depthwise=code == _OPERATOR.DEPTHWISE_CONV_2D)
        for operator in subgraph.operators
        if (code := builtin_code(model, operator)) in (_OPERATOR.CONV_2D, _OPERATOR.DEPTHWISE_CONV_2D)
    ]
    frames, *states = subgraph.inputs
    joined = subgraph.outputs[1:]
    kept = []
    for state, whole in ((None, frames), *zip(states, joined, strict=True)):
        _, n_frames, _, channels = _shape(subgraph, whole)
        rows = _shape(subgraph, state)[1] if state is not None else _kept_frames(subgraph, operator_of=whole)
        kept.append((places[whole], places[whole] + (n_frames - rows) * channels, rows * channels))
    if (largest := max(n_bytes, *data)) > _LARGEST:
        message = f"expected a detector's graph whose places fit in 16 bits (at most {_LARGEST:,}), found {largest:,}; "
        raise CorruptArtifactError(message + "export a smaller network")
    return {
        "network_bytes": n_bytes,
        "logit": places[subgraph.operators[-1].inputs[0]],
        "layers": ",\n".join(f"    {{{', '.join(map(str, layer))}}}" for layer in layers),
        "kept": ",\n".join(f"    {{{begin}U, {end}U, {size}U}}" for begin, end, size in kept),
        "logistic": logistic_table(model),
    }


def quantized_multiplier(scale: float) -> tuple[int, int]:
    """Return TensorFlow Lite's form of a scale: an int32 in [2**30, 2**31) and a shift to the left.

    Parameters
    ----------
    scale : float > 0
        About ``multiplier / 2**31 * 2**shift``.
    """
    mantissa, shift = math.frexp(scale)
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    return (multiplier // 2, shift + 1) if multiplier == 1 << 31 else (multiplier, shift)


def _shape(subgraph: Any, number: int) -> list[int]:
    return [int(size) for size in subgraph.tensors[number].shape]


def _places(model: Any, subgraph: Any) -> tuple[dict[int, int], int]:
    """Return the first byte of every activation, and how many bytes there are."""
    places, end = {}, 0
    sizes = {number: math.prod(_shape(subgraph, number)) for number in range(len(subgraph.tensors))}
    for number in (subgraph.inputs[0], *subgraph.outputs[1:]):
        places[number], end = end, end + sizes[number]
    passing: list[int] = []
    for operator in subgraph.operators:
        code, output = builtin_code(model, operator), operator.outputs[0]
        if code == _OPERATOR.CONCATENATION:
            state, frames = operator.inputs
            places[state], places[frames] = places[output], places[output] + sizes[state]
            passing.remove(frames)
        elif code in (_OPERATOR.CONV_2D, _OPERATOR.DEPTHWISE_CONV_2D):
            passing.append(output)
        elif code != _OPERATOR.LOGISTIC or output != subgraph.outputs[0]:
            message = f"expected a detector's graph, found the operation {OPERATOR_NAMES[code]}; export it again"
            raise CorruptArtifactError(message)
    for turn in (0, 1):
        numbers = passing[turn::2]
        places.update(dict.fromkeys(numbers, end))
        end += max((sizes[number] for number in numbers), default=0)
    return places, end


def _layer(
    subgraph: Any, operator: Any, places: dict[int, int], data: list[int], *, is_depthwise: bool
) -> tuple[object, ...]:
    """Return the fields of one ``Layer``."""
    source, weights, bias = (subgraph.tensors[number] for number in operator.inputs)
    target = subgraph.tensors[operator.outputs[0]]
    options = operator.builtinOptions
    (input_scale,), (output_scale,) = source.quantization.scale, target.quantization.scale
    scales = np.unique(np.asarray(weights.quantization.scale, dtype=np.float32))
    plain = options.padding == schema.Padding.VALID and options.dilationHFactor == 1 and len(scales) == 1
    relu = options.fusedActivationFunction == schema.ActivationFunctionType.RELU
    if not plain or not (relu or options.fusedActivationFunction == schema.ActivationFunctionType.NONE):
        message = "expected convolutions without padding and dilation, of one scale, found another; export it again"
        raise CorruptArtifactError(message)
    multiplier, shift = quantized_multiplier(float(input_scale) * float(scales[0]) / float(output_scale))
    output_zero = int(target.quantization.zeroPoint[0])
    return (
        str(is_depthwise).lower(),
        *(f"{int(number)}U" for number in (options.strideH, weights.shape[1], source.shape[3], target.shape[3])),
        f"{int(target.shape[1])}U",
        *(f"{places[number]}U" for number in (operator.inputs[0], operator.outputs[0])),
        *(f"{data[tensor.buffer]}U" for tensor in (weights, bias)),
        int(source.quantization.zeroPoint[0]),
        output_zero,
        output_zero if relu else _LOWEST,
        multiplier,
        shift,
    )


def _kept_frames(subgraph: Any, *, operator_of: int) -> int:
    """Return how many frames of a tensor its layer reads again in the next step."""
    (operator,) = (one for one in subgraph.operators if operator_of in one.inputs)
    taps = _shape(subgraph, operator.inputs[1])[1]
    return taps - int(operator.builtinOptions.strideH)


def logistic_table(model: Any) -> NDArray[np.int8]:
    """Return what LiteRT's reference kernel makes of every value of the last tensor but one, as int8 (256,).

    The schema object is cut down to its last operation and cannot be used any more.

    Parameters
    ----------
    model : ModelT
        Of :func:`export.operators.open_graph`.
    """
    (subgraph,) = model.subgraphs
    last = subgraph.operators[-1]
    subgraph.operators, subgraph.inputs, subgraph.outputs = [last], [last.inputs[0]], [last.outputs[0]]
    builder = flatbuffers.Builder(1 << 14)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logistic.tflite"
        path.write_bytes(bytes(builder.Output()))
        alone = TfliteModel(path, reference_kernels=True)
        shape = alone.input.shape
        return np.array(
            [alone.run_all([np.full(shape, value, dtype=np.int8)])[0].item() for value in range(-128, 128)],
            dtype=np.int8,
        )
