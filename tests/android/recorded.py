"""Models that record their inputs and outputs: the Java tests replay them without TensorFlow Lite."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.runtime import TfliteModel
from ondevice_db.format.arrays import save_array

__all__ = ["RecordedModel"]


class RecordedModel(TfliteModel):
    """A graph that keeps the outputs of every run under the SHA-256 of its inputs.

    Parameters
    ----------
    path : Path
    reference_kernels : bool
    """

    def __init__(self, path: Path, *, reference_kernels: bool = False) -> None:
        super().__init__(path, reference_kernels=reference_kernels)
        self._sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._recorded: dict[bytes, bytes] = {}

    def run_all(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph once, and keep inputs and outputs."""
        outputs = super().run_all(values)
        key = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in values)).digest()
        self._recorded[key] = b"".join(output.tobytes() for output in outputs)
        return outputs

    def save(self, folder: Path) -> None:
        """Write keys and outputs, named after the hash of the graph."""
        keys = np.frombuffer(b"".join(self._recorded), np.uint8).reshape(len(self._recorded), -1)
        outputs = np.frombuffer(b"".join(self._recorded.values()), np.uint8).reshape(len(self._recorded), -1)
        save_array(folder / f"{self._sha256[:16]}-inputs.npy", keys)
        save_array(folder / f"{self._sha256[:16]}-outputs.npy", outputs)
