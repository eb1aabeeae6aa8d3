"""Open a ``.tflite`` graph with whichever runtime is installed: LiteRT first, then the legacy tflite-runtime."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying.errors import CorruptArtifactError, MissingExtraError

__all__ = ["TensorSpec", "TfliteModel", "installed_runtimes"]

_STDERR = 2
_RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorSpec:
    """What a graph's input or output tensor is.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    scale : float
        Quantization step; 0 for a float tensor.
    zero_point : int
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    def quantize(self, values: NDArray[np.floating]) -> NDArray[Any]:
        """Return values in the tensor's dtype, rounded to nearest and saturated; float tensors pass through."""
        if self.scale == 0:
            return values.astype(self.dtype, copy=False)
        info = np.iinfo(self.dtype)
        steps = np.rint(values / self.scale) + self.zero_point
        quantized: NDArray[Any] = np.clip(steps, info.min, info.max).astype(self.dtype)
        return quantized

    def dequantize(self, steps: NDArray[Any]) -> NDArray[np.float32]:
        """Return a tensor's content as float32 real values."""
        if self.scale == 0:
            return steps.astype(np.float32, copy=False)
        return ((steps.astype(np.int32) - self.zero_point) * np.float32(self.scale)).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form of this tensor."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype.name,
            "scale": self.scale,
            "zero_point": self.zero_point,
        }


def installed_runtimes() -> list[str]:
    """Return the interpreter modules that can be imported here, in order of preference."""
    found = []
    for name in _RUNTIMES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        found.append(name)
    return found


class TfliteModel:
    """One opened graph with static shapes, one input and one output.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file whose hash the caller has checked.
    reference_kernels : bool
        Use LiteRT's reference kernels without the XNNPACK delegate, which equal a microcontroller bit for bit.
    n_threads : int >= 1

    Raises
    ------
    CorruptArtifactError
        When the runtime refuses the file.
    MissingExtraError
        When no runtime is installed.
    """

    def __init__(self, path: Path, *, reference_kernels: bool = False, n_threads: int = 1) -> None:
        runtimes = installed_runtimes()
        if not runtimes:
            extra, purpose = "tflite-runtime", "running a .tflite model (ai-edge-litert is not installed either)"
            raise MissingExtraError(extra, purpose)
        module = importlib.import_module(runtimes[0])
        options: dict[str, Any] = {"num_threads": n_threads}
        if reference_kernels:
            options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_REF
        try:
            # Bytes, not a path: the graph that runs is the one whose hash was checked, whatever happens to the file.
            content = Path(path).read_bytes()
            with _native_notes_silenced():
                self._interpreter = module.Interpreter(model_content=content, **options)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            message = f"{path}: the TFLite runtime refused this graph ({error}); restore it or export it again"
            raise CorruptArtifactError(message) from error
        (input_detail,) = self._interpreter.get_input_details()
        (output_detail,) = self._interpreter.get_output_details()
        self._input_index, self._output_index = input_detail["index"], output_detail["index"]
        self.input, self.output = _spec(input_detail), _spec(output_detail)

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """Run the graph once.

        Parameters
        ----------
        values : ndarray
            In the input tensor's dtype and shape.

        Returns
        -------
        ndarray
            A copy of the output tensor, in its own dtype.
        """
        self._interpreter.set_tensor(self._input_index, values)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output_index)
        return output


@contextmanager
def _native_notes_silenced() -> Iterator[None]:
    """Keep "INFO: Created ... delegate" off stderr: the runtime writes it past Python and has no setting for it."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # a process without stderr has nothing to be kept quiet
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(null)
        os.close(kept)


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
