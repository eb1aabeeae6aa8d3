"""Songs as a database stores them: fingerprints one after the other, and the melody that each was computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter, window_starts
from nowplaying_core.audio.cache import load_cached
from pretraining.audit.chroma import pitch_levels

__all__ = ["Passages", "beside", "neighbours", "read_passages"]

_SILENT_DBFS = -60.0  # at or below, a database stores no fingerprint (ondevice_db.levels)


@dataclass(frozen=True, slots=True)
class Passages:
    """Windows of songs in their order.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows; zero for silence.
    melodies : ndarray of float16, shape (n, 12, n_frames)
        Pitch classes over time (:func:`~pretraining.audit.chroma.chroma`).
    songs : ndarray of int64, shape (n,)
        Number of the recording that each window is of; ascending.
    runs : ndarray of int64, shape (n,)
        Windows of one run follow each other at the database's hop; ascending. A recording that was read several times,
        each time from a little later on, has several.
    """

    vectors: NDArray[np.float32]
    melodies: NDArray[np.float16]
    songs: NDArray[np.int64]
    runs: NDArray[np.int64]

    @property
    def sounding(self) -> NDArray[np.int64]:
        """Numbers of the windows that are not silent."""
        return np.flatnonzero(self.vectors.any(axis=1))


def read_passages(
    paths: Sequence[Path],
    model: Fingerprinter,
    cache_dir: Path,
    *,
    hop_s: float,
    delays_s: Sequence[float] = (0.0,),
) -> Passages:
    """Fingerprint recordings and keep the melody of each window.

    Parameters
    ----------
    paths : sequence of Path
    model : Fingerprinter
    cache_dir : Path
        For decoded audio.
    hop_s : float, seconds
        Of the database.
    delays_s : sequence of float, seconds
        Where each reading of a recording begins; there is none where less than a window is left.
    """
    front_end = FrontEndConfig(**model.folder.manifest["front_end"])
    hop, size = round(hop_s * model.sample_rate_hz), model.window_samples
    vectors: list[NDArray[np.float32]] = []
    levels: list[NDArray[np.float32]] = []
    lengths, owners = [], []
    readings = ((song, path, delay_s) for song, path in enumerate(paths) for delay_s in delays_s)
    for song, path, delay_s in readings:
        samples = load_cached(path, cache_dir)[round(delay_s * model.sample_rate_hz) :]
        if len(samples) < size:
            continue
        windows = [samples[start : start + size] for start in window_starts(len(samples), size, hop)]
        images = np.concatenate([model.front_end(window[None]) for window in windows])
        powers = np.array([np.mean(np.square(window, dtype=np.float64)) for window in windows])
        rows = np.concatenate([model.encode(image[None]) for image in images])
        vectors.append(np.where(powers[:, None] > 10 ** (_SILENT_DBFS / 10), rows, np.float32(0)))
        levels.append(pitch_levels(images, front_end).astype(np.float32))
        lengths.append(len(windows))
        owners.append(song)
    # As chroma() has it: less what is usual in all of these windows.
    usual = np.sum([part.mean(axis=2, dtype=np.float64).sum(axis=0) for part in levels], axis=0)[:, None] / sum(lengths)
    return Passages(
        np.concatenate(vectors),
        np.concatenate([(part - usual).astype(np.float16) for part in levels]),
        np.repeat(owners, lengths),
        np.repeat(np.arange(len(lengths)), lengths),
    )


def neighbours(runs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the numbers of n windows around each one, itself in the middle; at a run's ends its last one again.

    Parameters
    ----------
    runs : ndarray of int64, shape (n_windows,)
        Ascending.
    n : int, odd

    Returns
    -------
    ndarray of int64, shape (n_windows, n)
    """
    first = np.searchsorted(runs, runs)
    last = np.searchsorted(runs, runs, side="right") - 1
    around = np.arange(len(runs))[:, None] + np.arange(-(n // 2), n // 2 + 1)
    found: NDArray[np.int64] = np.clip(around, first[:, None], last[:, None])
    return found


def beside(stored: NDArray[np.float32], around: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return fingerprints side by side, (n, n_context * dim)."""
    return stored[around].reshape(len(around), -1)
