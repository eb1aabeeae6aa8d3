"""The int8 network over a stream of frames: a graph with states that computes new frames only."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import FRAME_HOP_SAMPLES, INPUT_ZERO_POINT, N_CHANNELS, frame_end_s
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TensorSpec, TfliteModel

__all__ = ["DECISION_FRAMES", "DECISION_S", "WINDOW_FRAMES", "WINDOW_S", "StreamingNetwork"]

DECISION_FRAMES: Final = 64
DECISION_S: Final = DECISION_FRAMES * FRAME_HOP_SAMPLES / SAMPLE_RATE_HZ
"""Seconds from one probability to the next: 0.64."""

WINDOW_FRAMES: Final = 446
WINDOW_S: Final = frame_end_s(WINDOW_FRAMES - 1)
"""Seconds of sound that a probability depends on: 4.48."""

_STRIDE: Final = 2
Frames = NDArray[np.int8]


class StreamingNetwork:
    """Runs a graph of ``export.stream_graph`` on 64 new frames at a time and keeps the states in between.

    The graph counts frames in 64s and windows are 446 long, so a stream begins with two frames of silence, and the
    outputs of the six steps before the first whole window are not used. While all that the network sees is silence, the
    graph is not run, because another step would compute the last output again.

    Parameters
    ----------
    model : TfliteModel
        int8 inputs and outputs of four axes; the first input is (1, kept + new frames, 1, 40), the others are states.

    Attributes
    ----------
    window_frames : int
        Number of frames that one probability depends on: 446, or 4.48 s.
    state_bytes : int
        Size of all that is kept from one step to the next.

    Raises
    ------
    ManifestMismatchError
        When the graph's tensors are not those of a detector.
    """

    def __init__(self, model: TfliteModel) -> None:
        specs = (*model.inputs, *model.outputs)
        is_detector = all(spec.dtype == np.int8 and len(spec.shape) == 4 for spec in specs)
        if not is_detector or model.inputs[0].shape[3] != N_CHANNELS or not 1 < len(model.inputs) == len(model.outputs):
            message = (
                f"expected a detector graph with int8 input (1, frames, 1, {N_CHANNELS}), int8 output and as many "
                f"states in as out, found {_shapes(model.inputs)} and {_shapes(model.outputs)}; use the model that the "
                "manifest names"
            )
            raise ManifestMismatchError(message)
        self._model = model
        *_, head = self._states = [np.full(spec.shape, -128, dtype=np.int8) for spec in model.inputs[1:]]
        n_new, self._n_kept = _STRIDE ** len(self._states), self._states[0].shape[1]
        if (n_new, n_new + self._n_kept) != (DECISION_FRAMES, model.inputs[0].shape[1]):
            message = (
                f"expected a graph of {DECISION_FRAMES} new frames a step and the frames kept before them, found input "
                f"{model.inputs[0].shape} and {len(self._states)} states; use the model that the manifest names"
            )
            raise ManifestMismatchError(message)
        frames = head.shape[1] + 1
        for _ in self._states:
            frames = _STRIDE * (frames - 1) + _STRIDE + self._n_kept
        self.window_frames = frames
        self._n_before = -frames % DECISION_FRAMES
        self.state_bytes = self._n_kept * N_CHANNELS + sum(state.size for state in self._states)
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        for state in self._states:
            state[:] = -128
        self._kept = np.full((self._n_kept, N_CHANNELS), INPUT_ZERO_POINT, dtype=np.int8)
        self._waiting = np.full((self._n_before, N_CHANNELS), INPUT_ZERO_POINT, dtype=np.int8)
        self._n_frames = -self._n_before
        self._n_silent = 0
        self._output = 0

    def process(self, frames: Frames) -> list[tuple[int, int]]:
        """Return the outputs that these frames complete.

        Parameters
        ----------
        frames : ndarray of int8, shape (n, 40), any n

        Returns
        -------
        list of (int, int)
            Number of frames since the reset, and the output in [0, 255], which is 256 times the probability of music.
        """
        waiting, outputs = np.concatenate([self._waiting, frames]), []
        while len(waiting) >= DECISION_FRAMES:
            new, waiting = waiting[:DECISION_FRAMES], waiting[DECISION_FRAMES:]
            self._n_frames += DECISION_FRAMES
            if not self._is_known(new):
                self._output = self._step(new)
            if self._n_frames >= self.window_frames:
                outputs.append((self._n_frames, self._output))
        self._waiting = waiting
        return outputs

    def _is_known(self, new: Frames) -> bool:
        """Whether the last two windows, these frames included, hold nothing but silence."""
        loud = np.flatnonzero((new != INPUT_ZERO_POINT).any(axis=1))
        self._n_silent = len(new) - 1 - int(loud[-1]) if len(loud) else self._n_silent + len(new)
        return self._n_silent >= self.window_frames + DECISION_FRAMES

    def _step(self, new: Frames) -> int:
        frames = np.concatenate([self._kept, new])
        self._kept = new[-self._n_kept :]
        output, *joined = self._model.run_all([frames[None, :, None, :], *self._states])
        for state, rows in zip(self._states, joined, strict=True):
            state[:] = rows[:, -state.shape[1] :]
        return int(output.item()) + 128


def _shapes(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.dtype} {spec.shape}" for spec in specs)
