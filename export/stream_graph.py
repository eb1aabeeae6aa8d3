"""The detector as one int8 graph with explicit states: 64 new frames in, one probability out, nothing computed twice.

Each layer joins its state, the last frames of the step before, to the new frames, convolves, and outputs the joined
frames too; the caller copies their last rows into the state before the next step. Every grid is a constant of the
design (``detector.training.weights``), so the graph is written without a converter: the order of its states is fixed,
and the same weights give the same bytes.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from detector.training.config import NetworkConfig
from detector.training.weights import FoldedWeights, QuantizedRange, activation_grid, weight_scale
from export.minify import write_flatbuffer

__all__ = ["streaming_graph"]

_OPERATOR = schema.BuiltinOperator
_INT8_VERSIONS = {
    _OPERATOR.CONV_2D: 3,
    _OPERATOR.DEPTHWISE_CONV_2D: 3,
    _OPERATOR.CONCATENATION: 2,
    _OPERATOR.LOGISTIC: 2,
}
_PROBABILITY = QuantizedRange(1 / 256, -128)  # TFLite fixes the logistic function's grid


def streaming_graph(network: NetworkConfig, weights: FoldedWeights, *, description: str = "") -> bytes:
    """Return the graph that computes a stream's probabilities step by step.

    Inputs: ``frames`` int8 (1, 2 + 64, 1, channels), the newest two frames of the step before first; then one state for
    each later layer, (1, 2, 1, filters), and one for the head, (1, 4, 1, filters). Outputs: the probability, int8 with
    scale 1/256 and zero point -128; then for every state the joined frames of its layer, whose last rows are the new
    state.

    Parameters
    ----------
    network : NetworkConfig
    weights : FoldedWeights
    description : str
        Kept in the graph, so that a lone file can be identified.
    """
    graph, grid = _Graph(), activation_grid("pointwise")
    kept, states, joined = network.kept_frames, [], []

    def with_state(frames: int, n_kept: int) -> int:
        state = graph.tensor((1, n_kept, 1, graph.shape(frames)[3]), grid)
        both = graph.join(state, frames)
        states.append(state)
        joined.append(both)
        return both

    frames_in = frames = graph.tensor((1, kept + network.decision_frames, 1, network.n_channels), grid)
    for layer in range(network.n_layers):
        if layer > 0:
            frames = with_state(frames, kept)
        frames = graph.depthwise(frames, weights.depthwise[layer], network.stride)
        frames = graph.convolution(frames, weights.pointwise[layer][None], weights.bias[layer], grid, relu=True)
    frames = with_state(frames, network.frames_after_layers - 1)
    hidden = weights.hidden.reshape(network.frames_after_layers, -1, network.n_hidden)
    frames = graph.convolution(frames, hidden, weights.hidden_bias, grid, relu=True)
    logit = graph.convolution(frames, weights.logit[None], weights.logit_bias, activation_grid("logit"), relu=False)
    probability = graph.operator(_OPERATOR.LOGISTIC, [logit], graph.shape(logit), _PROBABILITY)
    return write_flatbuffer(graph.model([frames_in, *states], [probability, *joined]), description=description)


class _Graph:
    """Collects tensors and operations in the order in which they run."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._buffers = [schema.BufferT()]  # the format's empty buffer, which every activation names
        self._codes: list[int] = []
        self._zero_biases: dict[int, int] = {}

    def tensor(self, shape: tuple[int, ...], grid: QuantizedRange, data: NDArray[Any] | None = None) -> int:
        """Add a tensor, int8 unless its constant content says otherwise, and return its number."""
        tensor, quantization = schema.TensorT(), schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [grid.scale], [grid.zero_point]
        tensor.shape, tensor.quantization, tensor.buffer = list(shape), quantization, 0
        tensor.type = schema.TensorType.INT8
        if data is not None:
            tensor.type = schema.TensorType.INT32 if data.dtype == np.int32 else schema.TensorType.INT8
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), dtype=np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def shape(self, number: int) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(self._tensors[number].shape)

    def operator(
        self, code: int, inputs: list[int], shape: tuple[int, ...], grid: QuantizedRange, options: Any = None
    ) -> int:
        """Add an operation and return its output tensor."""
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs, operator.outputs = inputs, [self.tensor(shape, grid)]
        operator.builtinOptions = options
        # The union's tag has the name of the options' class, less the T of the object form.
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"), 0)
        self._operators.append(operator)
        return int(operator.outputs[0])

    def join(self, first: int, second: int) -> int:
        """Put one stretch of frames behind another."""
        options = schema.ConcatenationOptionsT()
        options.axis = 1
        _, n_first, _, channels = self.shape(first)
        shape = (1, n_first + self.shape(second)[1], 1, channels)
        return self.operator(_OPERATOR.CONCATENATION, [first, second], shape, activation_grid("pointwise"), options)

    def depthwise(self, frames: int, kernel: NDArray[np.float32], stride: int) -> int:
        """Convolve each channel over time; ``kernel`` is (taps, channels).

        The format allows a convolution without a bias, but LiteRT's XNNPACK delegate crashes on it. All operations of
        one width share a bias of zeros: zero is zero on any scale, and kernels compare the bias's scale with the
        product of the others only up to 2 % of the output's, which scales this small never reach.
        """
        _, n_frames, _, channels = self.shape(frames)
        options = schema.DepthwiseConv2DOptionsT()
        options.strideH = options.strideW = stride
        options.depthMultiplier = 1
        _plain(options)
        weights, scale = self._kernel(kernel[None, :, None, :])
        if channels not in self._zero_biases:
            zeros = np.zeros(channels, dtype=np.int32)
            self._zero_biases[channels] = self.tensor((channels,), QuantizedRange(scale, 0), zeros)
        bias = self._zero_biases[channels]
        shape = (1, (n_frames - len(kernel)) // stride + 1, 1, channels)
        grid = activation_grid("depthwise")
        return self.operator(_OPERATOR.DEPTHWISE_CONV_2D, [frames, weights, bias], shape, grid, options)

    def convolution(
        self, frames: int, kernel: NDArray[np.float32], bias: NDArray[np.float32], grid: QuantizedRange, *, relu: bool
    ) -> int:
        """Convolve all channels over time; ``kernel`` is (taps, channels, filters)."""
        n_taps, _, n_filters = kernel.shape
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        _plain(options)
        if relu:
            options.fusedActivationFunction = schema.ActivationFunctionType.RELU
        weights, scale = self._kernel(kernel.transpose(2, 0, 1)[:, :, None, :])
        steps = np.rint(bias.astype(np.float64) / scale).astype(np.int32)
        numbers = [frames, weights, self.tensor((n_filters,), QuantizedRange(scale, 0), steps)]
        shape = (1, self.shape(frames)[1] - n_taps + 1, 1, n_filters)
        return self.operator(_OPERATOR.CONV_2D, numbers, shape, grid, options)

    def model(self, inputs: list[int], outputs: list[int]) -> Any:
        """Return the whole as a schema object."""
        subgraph, model = schema.SubGraphT(), schema.ModelT()
        subgraph.tensors, subgraph.operators = self._tensors, self._operators
        subgraph.inputs, subgraph.outputs = inputs, outputs
        model.version, model.subgraphs, model.buffers = 3, [subgraph], self._buffers
        model.operatorCodes = []
        for builtin in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = builtin
            code.version = _INT8_VERSIONS[builtin]
            model.operatorCodes.append(code)
        return model

    def _kernel(self, kernel: NDArray[np.float32]) -> tuple[int, float]:
        scale = weight_scale(float(np.abs(kernel).max()))
        steps = np.clip(np.rint(kernel / scale), -127, 127).astype(np.int8)
        return self.tensor(kernel.shape, QuantizedRange(scale, 0), steps), scale


def _plain(options: Any) -> None:
    """No padding, no dilation."""
    options.padding = schema.Padding.VALID
    options.dilationHFactor = options.dilationWFactor = 1
