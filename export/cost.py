"""Measure the cost of a detector: bytes of graph, parameters, states and arena, multiply-accumulates a second."""

import math
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from detector.network import DECISION_S, StreamingNetwork
from export.macs import count_macs
from export.micro import micro_runtime
from export.operators import builtin_code, open_graph
from nowplaying_core.errors import CorruptArtifactError, MissingExtraError
from nowplaying_core.runtime import TfliteModel

__all__ = ["arena_bytes", "detector_cost", "firmware_arena_bytes", "second_stage_cost"]

_TOTAL = re.compile(rb"Arena allocation total (\d+) bytes")
_STDERR: Final = 2


def detector_cost(path: Path) -> dict[str, Any]:
    """Measure a detector's graph, which takes a step of frames at a time.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file.

    Returns
    -------
    dict of str to int
        ``model_bytes``; ``n_parameters``, weights and biases; ``parameter_bytes``, of all constants; ``state_bytes``
        kept between steps; ``macs_per_step`` and ``macs_per_second``; ``arena_bytes`` (see `arena_bytes`), or None
        without the ``micro`` extra.

    Raises
    ------
    CorruptArtifactError
        When an interpreter refuses the graph.
    """
    content, model = path.read_bytes(), TfliteModel(path)
    n_parameters, parameter_bytes = _constants(content)
    macs = count_macs(content)
    return {
        "model_bytes": len(content),
        "n_parameters": n_parameters,
        "parameter_bytes": parameter_bytes,
        "state_bytes": StreamingNetwork(model).state_bytes,
        "macs_per_step": macs,
        "macs_per_second": round(macs / DECISION_S),
        "arena_bytes": _arena_bytes(content),
    }


def second_stage_cost(path: Path) -> dict[str, Any]:
    """Measure a second stage's graph, which takes a whole window.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file.

    Returns
    -------
    dict of str to int
        ``model_bytes``; ``n_macs``, multiply-accumulates of a run; ``arena_bytes`` (see `arena_bytes`), or None without
        the ``micro`` extra.

    Raises
    ------
    CorruptArtifactError
        When an interpreter refuses the graph.
    """
    content = path.read_bytes()
    return {"model_bytes": len(content), "n_macs": count_macs(content), "arena_bytes": _arena_bytes(content)}


def _arena_bytes(graph: bytes) -> int | None:
    try:
        return arena_bytes(graph)
    except MissingExtraError:
        return None


def firmware_arena_bytes(graph: bytes, safe_bytes: int) -> int:
    """Return the arena that C sources state for a graph.

    Parameters
    ----------
    graph : bytes
        Content of a ``.tflite`` file.
    safe_bytes : int > 0
        For where TensorFlow Lite Micro is not installed.

    Returns
    -------
    int
        Bytes as `arena_bytes` measures them, rounded up to its alignment of 16.

    Raises
    ------
    CorruptArtifactError
        When the interpreter refuses the graph.
    """
    try:
        return -(-arena_bytes(graph) // 16) * 16
    except MissingExtraError:
        return safe_bytes


def arena_bytes(graph: bytes) -> int:
    """Return the tensor arena that TensorFlow Lite Micro allocates for a graph on this machine.

    Its structures hold pointers, so a 32-bit device needs less than the 64-bit host on which this is measured.

    Parameters
    ----------
    graph : bytes
        Content of a ``.tflite`` file.

    Raises
    ------
    MissingExtraError
        Without the ``micro`` extra.
    CorruptArtifactError
        When the interpreter refuses the graph.
    """
    runtime = micro_runtime("measuring the arena in TensorFlow Lite Micro")
    try:
        interpreter = runtime.Interpreter.from_bytes(graph, arena_size=1 << 20)
        interpreter.invoke()
    except RuntimeError as error:
        message = f"TensorFlow Lite Micro refused a graph of {len(graph)} bytes ({error}); export it again"
        raise CorruptArtifactError(message) from error
    # The interpreter prints its allocations to the stderr of the process only.
    with tempfile.TemporaryFile() as captured:
        kept = os.dup(_STDERR)
        try:
            os.dup2(captured.fileno(), _STDERR)
            interpreter.print_allocations()
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
        captured.seek(0)
        found = _TOTAL.search(captured.read())
    if found is None:
        message = "expected the arena's size from TensorFlow Lite Micro, found none; install the pinned tflite-micro"
        raise CorruptArtifactError(message)
    return int(found.group(1))


def _constants(graph: bytes) -> tuple[int, int]:
    """Return how many weights and biases a graph holds, and the bytes of all its constants."""
    model, subgraph = open_graph(graph)
    sizes = {
        number: (math.prod(int(size) for size in tensor.shape), len(model.buffers[tensor.buffer].data))
        for number, tensor in enumerate(subgraph.tensors)
        if model.buffers[tensor.buffer].data is not None
    }
    # Depthwise convolutions have no bias of their own: kernels ask for one, and get zeros.
    zeros = {
        int(operator.inputs[2])
        for operator in subgraph.operators
        if builtin_code(model, operator) == schema.BuiltinOperator.DEPTHWISE_CONV_2D
    }
    n_parameters = sum(size for number, (size, _) in sizes.items() if number not in zeros)
    return n_parameters, sum(n_bytes for _, n_bytes in sizes.values())
