"""A graph in TensorFlow Lite Micro's own interpreter, the one that a microcontroller runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError, needs_extra
from nowplaying_core.runtime import TfliteModel

__all__ = ["MicroModel", "micro_runtime"]

_ARENA_BYTES: Final = 1 << 20


def micro_runtime(purpose: str) -> Any:
    """Return the interpreter's module.

    Raises
    ------
    MissingExtraError
        Without the ``micro`` extra.
    """
    with needs_extra("micro", purpose):
        from tflite_micro.python.tflite_micro import runtime
    return runtime


class MicroModel(TfliteModel):
    """A graph that the interpreter for microcontrollers runs; LiteRT only describes its tensors.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file.

    Raises
    ------
    CorruptArtifactError
        When the interpreter refuses the graph.
    MissingExtraError
        Without the ``micro`` extra.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        runtime = micro_runtime("comparing a graph with TensorFlow Lite Micro")
        try:
            self._interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=_ARENA_BYTES)
        except RuntimeError as error:
            message = f"{path}: TensorFlow Lite Micro refused this graph ({error}); export it again"
            raise CorruptArtifactError(message) from error

    def run_all(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph once: one value for every input, a copy of every output."""
        for number, value in enumerate(values):
            self._interpreter.set_input(np.ascontiguousarray(value), number)
        self._interpreter.invoke()
        return [self._interpreter.get_output(number).copy() for number in range(len(self.outputs))]
