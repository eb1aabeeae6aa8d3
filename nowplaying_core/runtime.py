"""Open a ``.tflite`` graph with whichever runtime is installed: LiteRT first, then the legacy tflite-runtime."""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import CorruptArtifactError, MissingExtraError
from nowplaying_core.stderr import native_stderr_to

__all__ = ["TensorSpec", "TfliteModel", "installed_runtimes"]

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
    """One opened graph with static shapes.

    Most graphs have one input and one output. A graph with memory takes its states in after its proper input and hands
    the new ones out after its proper output, in the same order.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file whose hash the caller has checked.
    reference_kernels : bool
        Use LiteRT's reference kernels without the XNNPACK delegate, which equal a microcontroller bit for bit.
    n_threads : int >= 1
    keep_tensors : bool
        Keep what lies between input and output, for :meth:`tensor`; takes more memory.

    Attributes
    ----------
    inputs, outputs : tuple of TensorSpec
        In the graph's order.

    Raises
    ------
    CorruptArtifactError
        When the runtime refuses the file.
    MissingExtraError
        When no runtime is installed.
    """

    def __init__(
        self, path: Path, *, reference_kernels: bool = False, n_threads: int = 1, keep_tensors: bool = False
    ) -> None:
        runtimes = installed_runtimes()
        if not runtimes:
            extra, purpose = "tflite-runtime", "running a .tflite model (ai-edge-litert is not installed either)"
            raise MissingExtraError(extra, purpose)
        module = importlib.import_module(runtimes[0])
        options: dict[str, Any] = {"num_threads": n_threads}
        if reference_kernels:
            options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_REF
        if keep_tensors:
            options["experimental_preserve_all_tensors"] = True
        try:
            # Bytes, not a path: the graph that runs is the one whose hash was checked, whatever happens to the file.
            content = Path(path).read_bytes()
            # "INFO: Created ... delegate" is written past Python, and there is no setting for it.
            with Path(os.devnull).open("wb") as null, native_stderr_to(null.fileno()):
                self._interpreter = module.Interpreter(model_content=content, **options)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            message = f"{path}: the TFLite runtime refused this graph ({error}); restore it or export it again"
            raise CorruptArtifactError(message) from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input_indices = [detail["index"] for detail in inputs]
        self._output_indices = [detail["index"] for detail in outputs]
        self.inputs, self.outputs = tuple(map(_spec, inputs)), tuple(map(_spec, outputs))

    @property
    def input(self) -> TensorSpec:
        """The first input."""
        return self.inputs[0]

    @property
    def output(self) -> TensorSpec:
        """The first output."""
        return self.outputs[0]

    def tensors(self) -> dict[str, Any]:
        """Return what a manifest states of the tensors: ``input``, ``output`` and, with memory, ``states``."""
        stated: dict[str, Any] = {"input": self.input.to_dict(), "output": self.output.to_dict()}
        if len(self.inputs) > 1 or len(self.outputs) > 1:
            pairs = zip(self.inputs[1:], self.outputs[1:], strict=True)
            stated["states"] = [{"input": old.to_dict(), "output": new.to_dict()} for old, new in pairs]
        return stated

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """Run a graph of one input once.

        Parameters
        ----------
        values : ndarray
            In the input tensor's dtype and shape.

        Returns
        -------
        ndarray
            A copy of the output tensor, in its own dtype.
        """
        return self.run_all([values])[0]

    def run_all(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the graph once.

        Parameters
        ----------
        values : sequence of ndarray
            One for every input.

        Returns
        -------
        list of ndarray
            Copies of all outputs.
        """
        for index, value in zip(self._input_indices, values, strict=True):
            self._interpreter.set_tensor(index, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._output_indices]

    def tensor(self, index: int) -> NDArray[Any]:
        """Return a copy of any tensor after a run, by its number in the graph; needs ``keep_tensors``."""
        values: NDArray[Any] = self._interpreter.get_tensor(index)
        return values


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
