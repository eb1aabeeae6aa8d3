"""Graphs of one operator each, with random settings: what Java computes is compared with LiteRT's reference kernels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

__all__ = ["OperatorGraph", "operator_graphs"]

_OPERATOR: Final = schema.BuiltinOperator
_ACTIVATION: Final = schema.ActivationFunctionType
_VERSIONS: Final = {
    _OPERATOR.CONV_2D: 3,
    _OPERATOR.DEPTHWISE_CONV_2D: 3,
    _OPERATOR.FULLY_CONNECTED: 5,
    _OPERATOR.AVERAGE_POOL_2D: 2,
    _OPERATOR.LOGISTIC: 2,
    _OPERATOR.CONCATENATION: 2,
    _OPERATOR.TRANSPOSE: 2,
    _OPERATOR.REDUCE_MAX: 2,
    _OPERATOR.DEQUANTIZE: 2,
    _OPERATOR.STRIDED_SLICE: 2,
}
_TYPES: Final = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
}


@dataclass(frozen=True, slots=True)
class OperatorGraph:
    """A graph and the inputs to run it on.

    Attributes
    ----------
    name : str
    graph : bytes
    inputs : list of list of ndarray
        One for every run and every input.
    """

    name: str
    graph: bytes
    inputs: list[list[NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    dtype: Any = np.int8
    scales: Sequence[float] = ()
    zero_point: int = 0
    axis: int = 0
    content: NDArray[Any] | None = None


def operator_graphs(seed: int, n_of_each: int) -> Iterator[OperatorGraph]:
    """Yield graphs of every int8 operator that Java computes, and of those that move floats.

    Parameters
    ----------
    seed : int
    n_of_each : int
        Settings drawn for each operator.
    """
    makers = (_convolution, _depthwise, _fully_connected, _pool, _logistic, _maximum, _transpose, _join, _slice)
    for kind, make in enumerate(makers):
        for number in range(n_of_each):
            code, tensors, output, options = make(np.random.default_rng([seed, kind, number]))
            graph = _graph(code, tensors, output, options)
            rng = np.random.default_rng([seed, kind, number, 1])
            given = [one for one in tensors if one.content is None]
            inputs = [[_random(rng, one, run) for one in given] for run in range(4)]
            yield OperatorGraph(f"{make.__name__[1:]}-{number}", graph, inputs)


_Made = tuple[int, list[_Tensor], _Tensor, Any]


def _random(rng: np.random.Generator, tensor: _Tensor, run: int) -> NDArray[Any]:
    if tensor.dtype == np.float32:
        return rng.standard_normal(tensor.shape).astype(np.float32)
    if run == 0 and np.prod(tensor.shape) == 256:
        return np.arange(-128, 128).astype(np.int8).reshape(tensor.shape)
    extremes = rng.choice(np.array([-128, 127]), tensor.shape)
    return np.where(run == 1, extremes, rng.integers(-128, 128, tensor.shape)).astype(np.int8)


def _image(rng: np.random.Generator) -> tuple[tuple[int, int, int], _Tensor]:
    rows, columns, channels = (int(size) for size in rng.integers(1, 12, 3))
    scale, zero = float(np.float32(rng.uniform(0.01, 0.1))), int(rng.integers(-128, 128))
    return (rows, columns, channels), _Tensor((1, rows, columns, channels), scales=[scale], zero_point=zero)


def _placed(rng: np.random.Generator, options: Any, rows: int, columns: int) -> tuple[list[int], list[int]]:
    """Set padding and strides, and return the sizes of kernel and output."""
    same = bool(rng.random() < 0.5)
    kernel = [int(rng.integers(1, (size + 2 if same else size) + 1)) for size in (rows, columns)]
    strides = [int(stride) for stride in rng.integers(1, 4, 2)]
    options.padding = schema.Padding.SAME if same else schema.Padding.VALID
    options.strideH, options.strideW = strides
    reach = [(size if same else size - side + 1) for size, side in zip((rows, columns), kernel, strict=True)]
    return kernel, [-(-size // stride) for size, stride in zip(reach, strides, strict=True)]


def _weighted(
    rng: np.random.Generator, image: _Tensor, shape: tuple[int, ...], axis: int, n_taps: int, out: tuple[int, ...]
) -> tuple[list[_Tensor], _Tensor]:
    """Return input, kernel and bias, which a fully connected layer may lack, and an output whose grid fits."""
    channels = shape[axis]
    n_scales = channels if rng.random() < 0.7 else 1
    scales = [float(np.float32(one)) for one in rng.uniform(0.0005, 0.02, n_scales)]
    kernel = _Tensor(shape, scales=scales, axis=axis, content=rng.integers(-127, 128, shape).astype(np.int8))
    products = [float(np.float32(image.scales[0]) * np.float32(one)) for one in scales]
    tensors = [image, kernel]
    if len(shape) > 2 or rng.random() < 0.8:
        bias = rng.integers(-9000, 9000, channels).astype(np.int32)
        tensors.append(_Tensor((channels,), np.int32, scales=products, content=bias))
    spread = float(np.median(products)) * 73.0 * 73.0 * np.sqrt(n_taps) * rng.uniform(0.005, 0.05)
    zero = int(rng.integers(-128, 128))
    return tensors, _Tensor(out, scales=[float(np.float32(spread))], zero_point=zero)


def _activation(rng: np.random.Generator) -> int:
    return int(rng.choice([_ACTIVATION.NONE, _ACTIVATION.RELU, _ACTIVATION.RELU6]))


def _convolution(rng: np.random.Generator) -> _Made:
    (rows, columns, channels), image = _image(rng)
    options = schema.Conv2DOptionsT()
    kernel, output = _placed(rng, options, rows, columns)
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = _activation(rng)
    filters = int(rng.integers(1, 20))
    shape, out = (filters, *kernel, channels), (1, *output, filters)
    tensors, target = _weighted(rng, image, shape, 0, int(np.prod(shape[1:])), out)
    return _OPERATOR.CONV_2D, tensors, target, options


def _depthwise(rng: np.random.Generator) -> _Made:
    (rows, columns, channels), image = _image(rng)
    options = schema.DepthwiseConv2DOptionsT()
    kernel, output = _placed(rng, options, rows, columns)
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = _activation(rng)
    options.depthMultiplier = int(rng.integers(1, 5))
    filters = channels * options.depthMultiplier
    shape, out = (1, *kernel, filters), (1, *output, filters)
    tensors, target = _weighted(rng, image, shape, 3, int(np.prod(kernel)), out)
    return _OPERATOR.DEPTHWISE_CONV_2D, tensors, target, options


def _fully_connected(rng: np.random.Generator) -> _Made:
    inputs, outputs = (int(size) for size in rng.integers(1, 200, 2))
    image = _Tensor((1, inputs), scales=_image(rng)[1].scales, zero_point=int(rng.integers(-128, 128)))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _activation(rng)
    tensors, target = _weighted(rng, image, (outputs, inputs), 0, inputs, (1, outputs))
    return _OPERATOR.FULLY_CONNECTED, tensors, target, options


def _pool(rng: np.random.Generator) -> _Made:
    (rows, columns, channels), image = _image(rng)
    options = schema.Pool2DOptionsT()
    kernel, output = _placed(rng, options, rows, columns)
    options.filterHeight, options.filterWidth = kernel
    options.fusedActivationFunction = _activation(rng)
    target = _Tensor((1, *output, channels), scales=image.scales, zero_point=image.zero_point)
    return _OPERATOR.AVERAGE_POOL_2D, [image], target, options


def _logistic(rng: np.random.Generator) -> _Made:
    scale, zero = float(np.float32(rng.uniform(0.005, 0.3))), int(rng.integers(-128, 128))
    target = _Tensor((1, 256), scales=[1 / 256], zero_point=-128)
    return _OPERATOR.LOGISTIC, [_Tensor((1, 256), scales=[scale], zero_point=zero)], target, None


def _maximum(rng: np.random.Generator) -> _Made:
    _, image = _image(rng)
    axes = rng.permutation(np.arange(1, 4))[: rng.integers(1, 4)].astype(np.int32)
    options = schema.ReducerOptionsT()
    options.keepDims = True
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(image.shape))
    target = _Tensor(shape, scales=image.scales, zero_point=image.zero_point)
    return _OPERATOR.REDUCE_MAX, [image, _Tensor(axes.shape, np.int32, content=axes)], target, options


def _transpose(rng: np.random.Generator) -> _Made:
    _, image = _image(rng)
    order = rng.permutation(4).astype(np.int32)
    target = _Tensor(tuple(image.shape[axis] for axis in order), scales=image.scales, zero_point=image.zero_point)
    return _OPERATOR.TRANSPOSE, [image, _Tensor((4,), np.int32, content=order)], target, schema.TransposeOptionsT()


def _join(rng: np.random.Generator) -> _Made:
    _, image = _image(rng)
    options = schema.ConcatenationOptionsT()
    options.axis = int(rng.integers(-4, 4))
    parts, axis = [image], options.axis % 4
    for size in rng.integers(1, 6, rng.integers(1, 4)):
        shape = tuple(int(size) if one == axis else length for one, length in enumerate(image.shape))
        parts.append(_Tensor(shape, scales=image.scales, zero_point=image.zero_point))
    whole = list(image.shape)
    whole[axis] = sum(part.shape[axis] for part in parts)
    target = _Tensor(tuple(whole), scales=image.scales, zero_point=image.zero_point)
    return _OPERATOR.CONCATENATION, parts, target, options


def _slice(rng: np.random.Generator) -> _Made:
    shape = tuple(int(size) for size in rng.integers(2, 9, 3))
    begins, ends, steps = [], [], []
    for size in shape:
        begin = int(rng.integers(0, size))
        end = int(rng.integers(begin + 1, size + 1))
        begins.append(begin - size if rng.random() < 0.5 else begin)
        ends.append(end - size if end < size and rng.random() < 0.5 else end)
        steps.append(int(rng.integers(1, 4)))
    options = schema.StridedSliceOptionsT()
    options.beginMask, options.endMask = (int(mask) for mask in rng.integers(0, 8, 2))
    empty = np.zeros(shape, np.int8)
    cut = empty[
        tuple(
            slice(None if options.beginMask >> axis & 1 else begin, None if options.endMask >> axis & 1 else end, step)
            for axis, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True))
        )
    ]
    places = [_Tensor((3,), np.int32, content=np.array(one, np.int32)) for one in (begins, ends, steps)]
    return _OPERATOR.STRIDED_SLICE, [_Tensor(shape, np.float32), *places], _Tensor(cut.shape, np.float32), options


def _graph(code: int, tensors: list[_Tensor], output: _Tensor, options: Any) -> bytes:
    model, subgraph, operator, builtin = schema.ModelT(), schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
    builtin.builtinCode = builtin.deprecatedBuiltinCode = code
    builtin.version = _VERSIONS[code]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [builtin], [subgraph], [schema.BufferT()]
    operator.opcodeIndex, operator.builtinOptions = 0, options
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"), 0)
    operator.inputs, operator.outputs = list(range(len(tensors))), [len(tensors)]
    subgraph.tensors = [_table(one, model.buffers) for one in (*tensors, output)]
    subgraph.operators = [operator]
    subgraph.inputs = [number for number, one in enumerate(tensors) if one.content is None]
    subgraph.outputs = [len(tensors)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _table(one: _Tensor, buffers: list[Any]) -> Any:
    tensor, grid = schema.TensorT(), schema.QuantizationParametersT()
    tensor.shape, tensor.type, tensor.buffer = list(one.shape), _TYPES[np.dtype(one.dtype)], 0
    if len(one.scales):
        grid.scale, grid.zeroPoint = list(one.scales), [one.zero_point] * len(one.scales)
        grid.quantizedDimension = one.axis
        tensor.quantization = grid
    if one.content is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(one.content.tobytes(), np.uint8)
        tensor.buffer = len(buffers)
        buffers.append(buffer)
    return tensor
