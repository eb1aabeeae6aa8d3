"""The detector's second stage: a larger network over the last 446 frames, run only where the first may be right."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import INPUT_ZERO_POINT, N_CHANNELS
from detector.network import WINDOW_FRAMES
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TfliteModel

__all__ = ["SECOND_STAGE_FILE", "SecondStage"]

SECOND_STAGE_FILE: Final = "second_stage.tflite"
Outputs = Sequence[tuple[int, int]]


class SecondStage:
    """Replaces the first stage's outputs: by its own where the first is high enough, by 0 elsewhere.

    Parameters
    ----------
    model : TfliteModel
        int8 (1, 446, 40, 1), the features' own steps, to int8 (1, 1, 1, 1) or (1, 1), which is 256 P(music) - 128.
    wanted_above : int in [0, 256]
        Smallest output of the first stage, in 256ths, for which this network is run.

    Attributes
    ----------
    n_runs : int
        How often the network has run since the reset, which is what its energy follows.

    Raises
    ------
    ManifestMismatchError
        When the graph's tensors are others, or ``wanted_above`` is out of its range.
    """

    def __init__(self, model: TfliteModel, wanted_above: int) -> None:
        found = [(spec.shape, np.dtype(spec.dtype).name) for spec in (*model.inputs, *model.outputs)]
        expected = [((1, WINDOW_FRAMES, N_CHANNELS, 1), "int8"), ((1, 1, 1, 1), "int8")]
        # Before the last layer was a convolution, the output had two axes.
        if found not in (expected, [expected[0], ((1, 1), "int8")]):
            message = f"{SECOND_STAGE_FILE}: expected tensors {expected}, found {found}; use the model of the manifest"
            raise ManifestMismatchError(message)
        if isinstance(wanted_above, bool) or not isinstance(wanted_above, int) or not 0 <= wanted_above <= 256:
            message = f"cascade: wanted_above must be a whole number from 0 to 256, not {wanted_above!r}"
            raise ManifestMismatchError(message)
        self._model, self._wanted_above = model, wanted_above
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._frames = np.full((WINDOW_FRAMES, N_CHANNELS), INPUT_ZERO_POINT, dtype=np.int8)
        self._n_frames = self.n_runs = 0

    def process(self, frames: NDArray[np.int8], outputs: Outputs) -> list[tuple[int, int]]:
        """Return the cascade's outputs for those of the first stage.

        Parameters
        ----------
        frames : ndarray of int8, shape (n, 40), any n
            The frames that the first stage was given.
        outputs : sequence of (int, int)
            What it returned for them, as :meth:`detector.network.StreamingNetwork.process` does.

        Returns
        -------
        list of (int, int)
            Number of frames since the reset, and the output in [0, 255].
        """
        kept = np.concatenate([self._frames, frames])
        self._n_frames += len(frames)
        confirmed = []
        for n_frames, output in outputs:
            stop = len(kept) - (self._n_frames - n_frames)
            is_wanted = output >= self._wanted_above
            confirmed.append((n_frames, self._run(kept[stop - WINDOW_FRAMES : stop]) if is_wanted else 0))
        self._frames = kept[len(kept) - WINDOW_FRAMES :]
        return confirmed

    def _run(self, window: NDArray[np.int8]) -> int:
        self.n_runs += 1
        return int(self._model.run(window[None, ..., None]).item()) + 128
