"""The windows of labelled sounds that encoders read: without overlap, the same for every encoder of one front end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.audio.cache import load_cached
from pretraining.tasks.task import Example

__all__ = ["Images", "read_windows"]

_BATCH = 256


@dataclass(frozen=True, slots=True)
class Images:
    """Log-mel images of examples.

    Attributes
    ----------
    images : ndarray of float32, shape (n_windows, n_mels, n_frames, 1)
    owners : ndarray of int64, shape (n_windows,)
        Number of the example that each window is of; ascending, and every example has one.
    """

    images: NDArray[np.float32]
    owners: NDArray[np.int64]

    def of(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the windows of chosen examples."""
        return np.flatnonzero(np.isin(self.owners, chosen))


def read_windows(
    examples: Sequence[Example], front_end: FrontEndConfig, *, cache_dir: Path, most_windows: int
) -> Images:
    """Cut examples into windows and compute their images.

    Parameters
    ----------
    examples : sequence of Example
    front_end : FrontEndConfig
    cache_dir : Path
        For decoded audio.
    most_windows : int >= 1
        Of one example; of longer ones as many, evenly spread.

    Notes
    -----
    A sound shorter than a window lies in the middle of silence.
    """
    rate, window = front_end.sample_rate_hz, front_end.window_samples
    log_mel = LogMel(front_end)
    images: list[NDArray[np.float32]] = []
    owners: list[int] = []
    waiting: list[NDArray[np.float32]] = []
    path, samples = None, np.zeros(0, np.float32)
    for owner, example in enumerate(examples):
        if example.path != path:  # utterances of one recording follow each other
            path, samples = example.path, load_cached(example.path, cache_dir)
        end = None if example.end_s is None else round(example.end_s * rate)
        part = samples[round(example.start_s * rate) : end]
        for start in _starts(len(part), window, most_windows):
            waiting.append(_padded(part[start : start + window], window))
            owners.append(owner)
            if len(waiting) == _BATCH:
                images.append(np.asarray(log_mel(np.stack(waiting)), np.float32))
                waiting.clear()
    if waiting:
        images.append(np.asarray(log_mel(np.stack(waiting)), np.float32))
    return Images(np.concatenate(images), np.array(owners))


def _starts(n_samples: int, window: int, most: int) -> list[int]:
    n_windows = max(1, n_samples // window)
    if n_windows == 1:
        return [max(0, (n_samples - window) // 2)]
    chosen = np.linspace(0, n_windows - 1, min(most, n_windows)).round().astype(int)
    return [int(number) * window for number in chosen]


def _padded(part: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    before = (window - len(part)) // 2
    return np.pad(part, (before, window - len(part) - before))
