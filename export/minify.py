"""Write a small convolutional TFLite graph without the parts that no interpreter reads, and equal parts only once.

A converter's file for a few thousand parameters is mostly overhead: names, metadata, signatures, ranges, zero biases,
and a quantization table with its own vectors for each tensor. A flatbuffer may refer to one part from many places.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.operators import builtin_code

__all__ = ["write_flatbuffer"]

_WITH_OPTIONS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.CONCATENATION,
    schema.BuiltinOperator.AVERAGE_POOL_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)


def write_flatbuffer(model: Any, *, description: str = "") -> bytes:
    """Return a graph as a file in as few bytes as the format allows.

    Parameters
    ----------
    model : ModelT
        One subgraph of int8 CONV_2D, DEPTHWISE_CONV_2D, CONCATENATION, AVERAGE_POOL_2D, FULLY_CONNECTED and LOGISTIC
        operations, with one scale per tensor or one per channel.
    description : str
        Kept in the file, so that a lone graph can be identified.
    """
    return _Writer(model).write(description)


class _Writer:
    """Writes one model, keeping the position of every part written so far."""

    def __init__(self, model: Any) -> None:
        self._model = model
        (self._graph,) = model.subgraphs
        self._builder = flatbuffers.Builder(1 << 14)
        self._written: dict[Any, int] = {}

    def write(self, description: str) -> bytes:
        builder, graph = self._builder, self._graph
        needed, buffers = {tensor.buffer for tensor in graph.tensors}, []
        for number, buffer in enumerate(self._model.buffers):
            content = b"" if buffer.data is None or number not in needed else bytes(buffer.data)
            data = ((schema.BufferAddData, self._bytes_vector(content)),) if content else ()
            buffers.append(self._table(schema.BufferStart, schema.BufferEnd, data))
        tensors = [self._tensor(tensor) for tensor in graph.tensors]
        operators = [self._operator(op) for op in graph.operators]
        subgraph = self._table(
            schema.SubGraphStart,
            schema.SubGraphEnd,
            (
                (schema.SubGraphAddTensors, self._offsets(tensors)),
                (schema.SubGraphAddInputs, self._integers(graph.inputs)),
                (schema.SubGraphAddOutputs, self._integers(graph.outputs)),
                (schema.SubGraphAddOperators, self._offsets(operators)),
            ),
        )
        opcodes = [self._opcode(code) for code in self._model.operatorCodes]
        fields = [
            (schema.ModelAddVersion, self._model.version),
            (schema.ModelAddOperatorCodes, self._offsets(opcodes)),
            (schema.ModelAddSubgraphs, self._offsets([subgraph])),
            (schema.ModelAddBuffers, self._offsets(buffers)),
        ]
        if description:
            fields.append((schema.ModelAddDescription, builder.CreateString(description)))
        root = self._table(schema.ModelStart, schema.ModelEnd, fields)
        builder.Finish(root, file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, tensor: Any) -> int:
        fields = [
            (schema.TensorAddShape, self._integers(tensor.shape)),
            (schema.TensorAddType, tensor.type),
            (schema.TensorAddBuffer, tensor.buffer),
            (schema.TensorAddQuantization, self._quantization(tensor.quantization)),
        ]
        return self._table(schema.TensorStart, schema.TensorEnd, fields)

    def _quantization(self, quantization: Any) -> int:
        scale = np.asarray(quantization.scale, dtype=np.float32)
        zero_point = np.asarray(quantization.zeroPoint, dtype=np.int64)
        builder = self._builder
        axis = ((schema.QuantizationParametersAddQuantizedDimension, quantization.quantizedDimension),)
        fields = (
            *(axis if scale.size > 1 else ()),
            (
                schema.QuantizationParametersAddScale,
                self._once(("scale", scale.tobytes()), lambda: builder.CreateNumpyVector(scale)),
            ),
            (
                schema.QuantizationParametersAddZeroPoint,
                self._once(("zero", zero_point.tobytes()), lambda: builder.CreateNumpyVector(zero_point)),
            ),
        )
        start, end = schema.QuantizationParametersStart, schema.QuantizationParametersEnd
        return self._once(("grid", fields), lambda: self._table(start, end, fields))

    def _operator(self, op: Any) -> int:
        fields = [
            (schema.OperatorAddOpcodeIndex, op.opcodeIndex),
            (schema.OperatorAddInputs, self._integers(op.inputs)),
            (schema.OperatorAddOutputs, self._integers(op.outputs)),
        ]
        if builtin_code(self._model, op) in _WITH_OPTIONS:
            fields += [
                (schema.OperatorAddBuiltinOptionsType, op.builtinOptionsType),
                (schema.OperatorAddBuiltinOptions, self._options(op.builtinOptions)),
            ]
        return self._table(schema.OperatorStart, schema.OperatorEnd, fields)

    def _options(self, options: Any) -> int:
        # Equal options have equal fields; the object's own order of writing is kept by its Pack.
        identity = (type(options).__name__, *sorted((name, int(value or 0)) for name, value in vars(options).items()))
        return self._once(identity, lambda: int(options.Pack(self._builder)))

    def _opcode(self, code: Any) -> int:
        # Readers take the larger of the old one-byte code and the new one; these operations are all old.
        fields = (
            (schema.OperatorCodeAddDeprecatedBuiltinCode, code.deprecatedBuiltinCode),
            (schema.OperatorCodeAddVersion, code.version),
        )
        return self._table(schema.OperatorCodeStart, schema.OperatorCodeEnd, fields)

    def _table(
        self,
        start: Callable[[Any], None],
        end: Callable[[Any], int],
        fields: Sequence[tuple[Callable[[Any, Any], None], Any]],
    ) -> int:
        start(self._builder)
        for add, value in fields:
            add(self._builder, value)
        return end(self._builder)

    def _once(self, identity: Any, write: Callable[[], int]) -> int:
        if identity not in self._written:
            self._written[identity] = write()
        return self._written[identity]

    def _integers(self, values: Sequence[int]) -> int:
        array = np.asarray(values, dtype=np.int32)
        return self._once(("int32", *values), lambda: self._builder.CreateNumpyVector(array))

    def _bytes_vector(self, content: bytes) -> int:
        array = np.frombuffer(content, dtype=np.uint8)

        def write() -> int:
            # int32 biases are read in place, so every buffer starts on a multiple of four.
            self._builder.Prep(4, len(content))
            return int(self._builder.CreateNumpyVector(array))

        return self._once(("bytes", content), write)

    def _offsets(self, positions: Sequence[int]) -> int:
        self._builder.StartVector(4, len(positions), 4)
        for position in reversed(positions):
            self._builder.PrependUOffsetTRelative(position)
        return int(self._builder.EndVector())
