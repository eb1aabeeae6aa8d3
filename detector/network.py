"""The network over a stream of frames: a graph of whole windows, or one with states that computes new frames only."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.features import FRAME_HOP_SAMPLES, INPUT_ZERO_POINT, N_CHANNELS, frame_end_s
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TensorSpec, TfliteModel

__all__ = [
    "DECISION_FRAMES",
    "DECISION_S",
    "WINDOW_FRAMES",
    "WINDOW_S",
    "Network",
    "StatefulNetwork",
    "WindowNetwork",
    "open_network",
]

DECISION_FRAMES: Final = 64
DECISION_S: Final = DECISION_FRAMES * FRAME_HOP_SAMPLES / SAMPLE_RATE_HZ
"""Seconds from one probability to the next: 0.64."""

WINDOW_FRAMES: Final = 446
WINDOW_S: Final = frame_end_s(WINDOW_FRAMES - 1)
"""Seconds of sound that a probability depends on: 4.48."""

_STRIDE: Final = 2
Frames = NDArray[np.int8]


class Network(Protocol):
    """What turns frames into probabilities.

    Attributes
    ----------
    window_frames : int
        Frames that one probability depends on: 446, or 4.48 s.
    state_bytes : int
        What is kept from one step to the next.
    """

    window_frames: int
    state_bytes: int

    def process(self, frames: Frames) -> list[tuple[int, int]]:
        """Return what these frames complete.

        Parameters
        ----------
        frames : ndarray of int8, shape (n, 40), any n

        Returns
        -------
        list of (int, int)
            Frames heard since the reset, and the output in [0, 255], which is 256 times the probability of music.
        """
        ...

    def reset(self) -> None:
        """Forget all frames."""
        ...


def open_network(model: TfliteModel) -> Network:
    """Return the runner that fits a graph.

    Raises
    ------
    ManifestMismatchError
        When the graph's tensors are not those of a detector.
    """
    specs = (*model.inputs, *model.outputs)
    is_detector = all(spec.dtype == np.int8 and len(spec.shape) == 4 for spec in specs)
    if not is_detector or model.inputs[0].shape[3] != N_CHANNELS or len(model.inputs) != len(model.outputs):
        message = (
            f"expected a detector graph with int8 input (1, frames, 1, {N_CHANNELS}), int8 output and as many states "
            f"in as out, found {_shapes(model.inputs)} and {_shapes(model.outputs)}; use the model that the manifest "
            "names"
        )
        raise ManifestMismatchError(message)
    return WindowNetwork(model) if len(model.inputs) == 1 else StatefulNetwork(model)


class _Silence:
    """Knows when another step would compute what the last one did: silence then, now, and in all that they see."""

    def __init__(self, window_frames: int) -> None:
        self._enough = window_frames + DECISION_FRAMES
        self._n_silent = 0

    def covers(self, new: Frames) -> bool:
        """Take new frames in; say whether nothing but silence has gone into the last two windows."""
        heard = np.flatnonzero((new != INPUT_ZERO_POINT).any(axis=1))
        self._n_silent = len(new) - 1 - int(heard[-1]) if len(heard) else self._n_silent + len(new)
        return self._n_silent >= self._enough


class WindowNetwork:
    """Runs a graph of (1, 446, 1, 40) on the newest 446 frames, every 64 frames.

    Parameters
    ----------
    model : TfliteModel
    """

    def __init__(self, model: TfliteModel) -> None:
        self._model = model
        self.window_frames = int(model.inputs[0].shape[1])
        self.state_bytes = self.window_frames * N_CHANNELS
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._frames = np.full((self.window_frames, N_CHANNELS), INPUT_ZERO_POINT, dtype=np.int8)
        self._n_heard = 0
        self._silence = _Silence(self.window_frames)
        self._output = 0

    def process(self, frames: Frames) -> list[tuple[int, int]]:
        """Return what these frames complete."""
        outputs = []
        position = 0
        while position < len(frames):
            taken = frames[position : position + self._frames_to_next()]
            position += len(taken)
            self._n_heard += len(taken)
            self._frames = np.concatenate([self._frames[len(taken) :], taken])
            is_known = self._silence.covers(taken)
            if self._n_heard >= self.window_frames and (self._n_heard - self.window_frames) % DECISION_FRAMES == 0:
                if not is_known:
                    self._output = int(self._model.run_all([self._frames[None, :, None, :]])[0].item()) + 128
                outputs.append((self._n_heard, self._output))
        return outputs

    def _frames_to_next(self) -> int:
        if self._n_heard < self.window_frames:
            return self.window_frames - self._n_heard
        return DECISION_FRAMES - (self._n_heard - self.window_frames) % DECISION_FRAMES


class StatefulNetwork:
    """Runs a graph of ``export.stream_graph`` on 64 new frames at a time, keeping the states in between.

    The graph counts frames in 64s and windows are 446 long, so a stream begins with two frames of silence, and the six
    steps before the first whole window give nothing.

    Parameters
    ----------
    model : TfliteModel
    """

    def __init__(self, model: TfliteModel) -> None:
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
        self._n_heard = -self._n_before
        self._silence = _Silence(self.window_frames)
        self._output = 0

    def process(self, frames: Frames) -> list[tuple[int, int]]:
        """Return what these frames complete."""
        waiting, outputs = np.concatenate([self._waiting, frames]), []
        while len(waiting) >= DECISION_FRAMES:
            new, waiting = waiting[:DECISION_FRAMES], waiting[DECISION_FRAMES:]
            self._n_heard += DECISION_FRAMES
            if not self._silence.covers(new):
                self._output = self._step(new)
            if self._n_heard >= self.window_frames:
                outputs.append((self._n_heard, self._output))
        self._waiting = waiting
        return outputs

    def _step(self, new: Frames) -> int:
        frames = np.concatenate([self._kept, new])
        self._kept = new[-self._n_kept :]
        output, *joined = self._model.run_all([frames[None, :, None, :], *self._states])
        for state, rows in zip(self._states, joined, strict=True):
            state[:] = rows[:, -state.shape[1] :]
        return int(output.item()) + 128


def _shapes(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.dtype} {spec.shape}" for spec in specs)
