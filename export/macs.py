"""Count the multiply-accumulates of a TFLite graph, which is what a phone's energy for it follows."""

import math
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

__all__ = ["count_macs"]

_OPERATOR: Final = schema.BuiltinOperator
# Operations that only move, compare or add values are not counted, as is the field's custom.


def count_macs(graph: bytes) -> int:
    """Return the multiply-accumulates of one run of a graph's first subgraph.

    Counted are CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and BATCH_MATMUL; a Fourier transform is none of them.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph, 0))
    subgraph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return sum(_macs(codes[op.opcodeIndex], op, subgraph.tensors) for op in subgraph.operators)


def _macs(code: int, op: Any, tensors: Any) -> int:
    if code not in {
        _OPERATOR.CONV_2D,
        _OPERATOR.DEPTHWISE_CONV_2D,
        _OPERATOR.FULLY_CONNECTED,
        _OPERATOR.BATCH_MATMUL,
    }:
        return 0
    first, second = (tuple(int(size) for size in tensors[index].shape) for index in op.inputs[:2])
    n_outputs = math.prod(int(size) for size in tensors[op.outputs[0]].shape)
    if code == _OPERATOR.CONV_2D:
        return n_outputs * math.prod(second[1:])
    if code == _OPERATOR.DEPTHWISE_CONV_2D:
        return n_outputs * second[1] * second[2]
    # Each output is a sum over the last axis of the first factor.
    return n_outputs * first[-1]
