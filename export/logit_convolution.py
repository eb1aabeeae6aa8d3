"""Let a network's last layer round alike everywhere: a 1 x 1 convolution in the place of a fully connected layer."""

from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.operators import builtin_code
from nowplaying_core.errors import CorruptArtifactError

__all__ = ["logit_as_convolution"]

_OPERATOR: Final = schema.BuiltinOperator


def logit_as_convolution(model: Any) -> None:
    """Change the one fully connected layer of a graph that ends with it and a logistic function.

    LiteRT's reference kernels round a fully connected layer once, TensorFlow Lite Micro and CMSIS-NN twice; all of them
    round convolutions twice. Weights and scales stay; the output has the shape (1, 1, 1, 1) then. A graph whose last
    layer is a convolution already stays as it is.

    Parameters
    ----------
    model : ModelT
        Of :func:`export.operators.open_graph`; changed in place.

    Raises
    ------
    CorruptArtifactError
        When the graph ends otherwise, or the layer's input has a row or a column more than one.
    """
    (graph,) = model.subgraphs
    codes = [builtin_code(model, operator) for operator in graph.operators]
    layer, logistic = graph.operators[-2:]
    if codes[-2:] == [_OPERATOR.CONV_2D, _OPERATOR.LOGISTIC]:
        return
    shape = [int(size) for size in graph.tensors[layer.inputs[0]].shape]
    if codes[-2:] != [_OPERATOR.FULLY_CONNECTED, _OPERATOR.LOGISTIC] or shape[:-1] != [1, 1, 1]:
        message = "expected a fully connected layer of a (1, 1, 1, n) tensor and a logistic function at the graph's end"
        raise CorruptArtifactError(message)
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = layer.builtinOptions.fusedActivationFunction
    layer.builtinOptions, layer.builtinOptionsType = options, schema.BuiltinOptions.Conv2DOptions
    layer.opcodeIndex = graph.operators[codes.index(_OPERATOR.CONV_2D)].opcodeIndex
    weights = graph.tensors[layer.inputs[1]]
    weights.shape = np.array([weights.shape[0], 1, 1, weights.shape[1]], dtype=np.int32)
    weights.quantization.quantizedDimension = 0
    if layer.inputs[2] < 0:
        layer.inputs = [*layer.inputs[:2], _zero_bias(model, graph.tensors[layer.inputs[0]], weights)]
    for number in (layer.outputs[0], logistic.outputs[0]):
        tensor = graph.tensors[number]
        tensor.shape, tensor.shapeSignature = np.array([1, 1, 1, tensor.shape[-1]], dtype=np.int32), None
    used = sorted({operator.opcodeIndex for operator in graph.operators})
    model.operatorCodes = [model.operatorCodes[number] for number in used]
    for operator in graph.operators:
        operator.opcodeIndex = used.index(operator.opcodeIndex)


def _zero_bias(model: Any, source: Any, weights: Any) -> int:
    """Add a bias of zeros, which a fully connected layer may do without, and return its number."""
    (graph,) = model.subgraphs
    buffer, bias = schema.BufferT(), schema.TensorT()
    buffer.data = np.zeros(4 * weights.shape[0], dtype=np.uint8)
    bias.shape, bias.type = np.array(weights.shape[:1], dtype=np.int32), schema.TensorType.INT32
    bias.quantization = schema.QuantizationParametersT()
    bias.quantization.scale = [source.quantization.scale[0] * scale for scale in weights.quantization.scale]
    bias.quantization.zeroPoint = [0] * len(bias.quantization.scale)
    bias.buffer = len(model.buffers)
    model.buffers.append(buffer)
    graph.tensors.append(bias)
    return len(graph.tensors) - 1
