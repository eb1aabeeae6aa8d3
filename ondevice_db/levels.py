"""Levels of recordings: what is silence, where sound begins, and quiet recordings brought up to a usual level.

A constant offset is no sound, and neither is a click: levels are variances of blocks of a tenth of a second, and a
second is as loud as the third of its ten blocks.
"""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ

__all__ = ["SILENCE_DBFS", "brought_up", "first_above_s", "first_audible_s", "gain_of", "loudest_dbfs", "silence_of"]

SILENCE_DBFS = -60.0
_BLOCK_S = 0.1
_BLOCKS = 10  # in a second
_RANK = 3  # of the blocks of a second, loudest first, that is its level: a click reaches into two
_QUIET_DBFS = -40.0  # recordings whose loudest second is below are brought up to _LOUD_DBFS
_LOUD_DBFS = -20.0
_FAINT_DBFS = -90.0  # dither of 16-bit samples lies below
_RANGE_DB = 20.0
_LEAST_OFFSET = 1e-3  # of full scale

Samples = NDArray[np.float32]


def loudest_dbfs(samples: Samples) -> float | None:
    """Return the level of the loudest whole second in dBFS, clicks and a constant offset left out; None below a second.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), mono at 16 kHz
    """
    levels = _levels_dbfs(samples)
    n_seconds = levels.size // _BLOCKS
    if n_seconds == 0:
        return None
    return float(np.sort(levels[: n_seconds * _BLOCKS].reshape(n_seconds, _BLOCKS), axis=1)[:, -_RANK].max())


def silence_of(loudest_dbfs: float) -> float:
    """Return the level at or below which a recording is silent, in dBFS, by its loudest: lower where all is quiet."""
    return SILENCE_DBFS if loudest_dbfs >= _QUIET_DBFS else max(loudest_dbfs - _RANGE_DB, _FAINT_DBFS)


def gain_of(loudest_dbfs: float) -> float:
    """Return the factor that brings a recording up to a usual level: 1 where it is not quiet, or next to nothing."""
    return 10 ** ((_LOUD_DBFS - loudest_dbfs) / 20) if _FAINT_DBFS < loudest_dbfs < _QUIET_DBFS else 1.0


def brought_up(samples: Samples) -> tuple[Samples, float]:
    """Return quiet samples at a usual level and others as they are, with the level that is silence there, in dBFS.

    A constant offset, as cheap converters add it, is taken away first: beside a large one quiet music would be
    as nothing to the front end. The Android core does the same to the phone's buffer.
    """
    samples = _without_offset(samples)
    loudest = loudest_dbfs(samples)
    gain = 1.0 if loudest is None else gain_of(loudest)
    if loudest is None or gain == 1.0:
        return samples, SILENCE_DBFS
    return np.clip(samples * np.float32(gain), -1.0, 1.0), silence_of(loudest) + 20 * float(np.log10(gain))


def first_audible_s(samples: Samples) -> float:
    """Return where sound above silence begins, in seconds; 0 when there is none."""
    found = first_above_s(samples, SILENCE_DBFS)
    if found is None:
        loudest = loudest_dbfs(samples)
        found = None if loudest is None else first_above_s(samples, silence_of(loudest))
    return found or 0.0


def first_above_s(samples: Samples, level_dbfs: float) -> float | None:
    """Return where the first sound above a level begins that is no click, in seconds; None when there is none.

    No click has three of ten blocks in a row above the level; at the end of a recording fewer suffice.
    """
    loud = _levels_dbfs(samples) > level_dbfs
    if not loud.any():
        return None
    before = np.concatenate([[0], np.cumsum(loud)])
    ends = np.minimum(np.arange(loud.size) + _BLOCKS, loud.size)
    needed = np.minimum(_RANK, ends - np.arange(loud.size))
    lasting = np.flatnonzero(loud & (before[ends] - before[:-1] >= needed))
    return float(lasting[0]) * _BLOCK_S if lasting.size else None


def _levels_dbfs(samples: Samples) -> NDArray[np.float64]:
    levels: NDArray[np.float64] = 10 * np.log10(_blocks(samples).var(axis=1, dtype=np.float64) + 1e-15)
    return levels


def _blocks(samples: Samples) -> Samples:
    size = round(_BLOCK_S * SAMPLE_RATE_HZ)
    return samples[: samples.size // size * size].reshape(-1, size)


def _without_offset(samples: Samples) -> Samples:
    blocks = _blocks(samples)
    # The median of blocks: a click moves the mean by more than quiet music is loud.
    offset = float(np.median(blocks.mean(axis=1, dtype=np.float64))) if blocks.size else 0.0
    # What rounding leaves of a recording without an offset stays, so that its samples are what they were.
    return samples if abs(offset) < _LEAST_OFFSET else samples - np.float32(offset)
