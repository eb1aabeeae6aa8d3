"""From channels to mono: their mean, or where they cancel each other out the louder channel.

What counts is how sound varies: a constant offset in one channel is neither loud nor left over.
"""

import logging
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["downmix"]

_log = logging.getLogger(__name__)
_PIECE_S = 1.0
_CANCELLED = 10 ** (-12 / 10)  # power of the mean below that of the louder channel
_CLEARLY_LOUDER = 10 ** (3 / 10)  # so that the choice does not alternate between channels that are alike

Samples = NDArray[np.float32]


def downmix(name: str, sample_rate_hz: int, frames: Iterable[Samples]) -> Iterator[Samples]:
    """Yield mono samples; pieces of a second are decided for themselves, however the frames come.

    Parameters
    ----------
    name : str
        For the log.
    sample_rate_hz : int
    frames : iterable of ndarray of float32, shape (n, channels)
    """
    piece = max(1, round(_PIECE_S * sample_rate_hz))
    pending: list[Samples] = []
    n_pending, channel, is_told = 0, -1, False
    for block in frames:
        if block.shape[1] == 1:
            yield block[:, 0]
            continue
        pending.append(block)
        n_pending += len(block)
        if n_pending < piece:
            continue
        joined = np.concatenate(pending)
        n_whole = n_pending - n_pending % piece
        for start in range(0, n_whole, piece):
            channel, mono = _mix(joined[start : start + piece], channel)
            if channel >= 0 and not is_told:
                is_told = True
                _log.debug("%s: channels cancel each other out; channel %d is used there", name, channel + 1)
            yield mono
        pending, n_pending = [joined[n_whole:]], n_pending - n_whole
    if n_pending:
        yield _mix(np.concatenate(pending), channel)[1]


def _mix(frames: Samples, before: int) -> tuple[int, Samples]:
    """Return the channel that is used, or -1 for the mean, and the mono samples."""
    mean: Samples = frames.mean(axis=1)
    powers = frames.var(axis=0, dtype=np.float64)
    loudest = int(powers.argmax())
    if not powers[loudest] > 0 or mean.var(dtype=np.float64) >= _CANCELLED * powers[loudest]:
        return -1, mean
    if before >= 0 and powers[loudest] < _CLEARLY_LOUDER * powers[before]:
        loudest = before
    return loudest, frames[:, loudest]
