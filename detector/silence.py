"""Silence is decided by the level of the PCM, because the front end's gain control amplifies faint noise."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import FRAME_HOP_SAMPLES, FRAME_WINDOW_SAMPLES

__all__ = ["HOLD_HOPS", "QuietHops", "quiet_energy"]

HOLD_HOPS: Final = 64
"""Number of quiet hops of 10 ms in a row that count as silence: pauses within soft music are shorter."""

_HOPS_BEFORE_FIRST_FRAME: Final = FRAME_WINDOW_SAMPLES // FRAME_HOP_SAMPLES - 1


def quiet_energy(level_dbfs: float) -> int:
    """Return the sum of squares of a hop's int16 samples below which it is quiet.

    Parameters
    ----------
    level_dbfs : float
        RMS level in dB of full scale.
    """
    return round(FRAME_HOP_SAMPLES * (32_767.0 * 10 ** (level_dbfs / 20)) ** 2)


class QuietHops:
    """Marks the frames of the front end that end 640 quiet milliseconds, in integer arithmetic.

    Parameters
    ----------
    level_dbfs : float
    """

    def __init__(self, level_dbfs: float) -> None:
        self._limit = quiet_energy(level_dbfs)
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._rest = np.empty(0, dtype=np.int16)
        self._n_quiet = 0
        self._n_hops = 0

    def process(self, pcm: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return one value for each frame that these samples complete.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,), 16 kHz mono; any n
        """
        samples = np.concatenate([self._rest, pcm])
        whole = len(samples) - len(samples) % FRAME_HOP_SAMPLES
        self._rest = samples[whole:]
        hops = samples[:whole].reshape(-1, FRAME_HOP_SAMPLES).astype(np.int64)
        is_silent = np.empty(len(hops), dtype=bool)
        for number, energy in enumerate(np.square(hops).sum(axis=1)):
            self._n_quiet = self._n_quiet + 1 if energy < self._limit else 0
            is_silent[number] = self._n_quiet >= HOLD_HOPS
        # The first frame is complete with the third hop.
        dropped = min(len(hops), max(0, _HOPS_BEFORE_FIRST_FRAME - self._n_hops))
        self._n_hops += len(hops)
        return is_silent[dropped:]
