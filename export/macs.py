"""Count the multiply-accumulates of a TFLite graph, which is what a phone's energy for it follows."""

import math
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from export.operators import builtin_code, open_graph

__all__ = ["count_macs"]

_OPERATOR: Final = schema.BuiltinOperator
# By convention, operations that only move, compare or add values are not counted.
_COUNTED: Final = (
    _OPERATOR.CONV_2D,
    _OPERATOR.DEPTHWISE_CONV_2D,
    _OPERATOR.FULLY_CONNECTED,
    _OPERATOR.BATCH_MATMUL,
)


def count_macs(graph: bytes) -> int:
    """Return the multiply-accumulates of one run of a graph's first subgraph.

    Counted are CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and BATCH_MATMUL; a Fourier transform is none of them.
    """
    model, subgraph = open_graph(graph)
    return sum(_macs(builtin_code(model, operator), operator, subgraph.tensors) for operator in subgraph.operators)


def _macs(code: int, operator: Any, tensors: Any) -> int:
    if code not in _COUNTED:
        return 0
    first, second, outputs = (
        [int(size) for size in tensors[index].shape] for index in (*operator.inputs[:2], operator.outputs[0])
    )
    if code == _OPERATOR.CONV_2D:
        return math.prod(outputs) * math.prod(second[1:])
    if code == _OPERATOR.DEPTHWISE_CONV_2D:
        return math.prod(outputs) * second[1] * second[2]
    # Each output is a sum over the last axis of the first factor.
    return math.prod(outputs) * first[-1]
