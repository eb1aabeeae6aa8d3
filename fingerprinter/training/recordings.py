"""Decoded recordings in memory, from which training cuts its windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, to_int16
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.mixing import looped
from nowplaying_core.errors import ConfigError

__all__ = ["MIN_NOISE_S", "Recordings"]

MIN_NOISE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Recordings:
    """Decoded recordings kept in memory as int16, end to end.

    Attributes
    ----------
    pcm : ndarray of int16, shape (n_samples,)
    starts : ndarray of int64, shape (n_recordings + 1,)
        Where each begins; the last entry is the end.
    """

    pcm: NDArray[np.int16]
    starts: NDArray[np.int64]

    @classmethod
    def join(cls, recordings: Sequence[NDArray[np.int16]], *, min_samples: int = 0) -> "Recordings":
        """Join recordings, leaving out those shorter than ``min_samples``."""
        kept = [recording for recording in recordings if len(recording) >= min_samples]
        if not kept:
            message = f"expected recordings of at least {min_samples} samples, found none among {len(recordings)}"
            raise ConfigError(message)
        starts = np.concatenate([[0], np.cumsum([len(recording) for recording in kept])])
        return cls(np.concatenate(kept), starts.astype(np.int64))

    @classmethod
    def load(cls, files: Sequence[CorpusFile], cache_dir: Path, *, min_s: float = 0.0) -> "Recordings":
        """Decode files into memory, through the cache."""
        decoded = [to_int16(load_cached(file.path, cache_dir)) for file in files]
        return cls.join(decoded, min_samples=round(min_s * SAMPLE_RATE_HZ))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def hours(self) -> float:
        """Total duration at 16 kHz."""
        return len(self.pcm) / SAMPLE_RATE_HZ / 3600

    def cut(self, index: int, start: int, length: int) -> NDArray[np.float32]:
        """Return a part of one recording, with zeros before its begin and after its end."""
        begin, end = int(self.starts[index]), int(self.starts[index + 1])
        part = np.zeros(length, np.float32)
        low, high = max(0, start), min(end - begin, start + length)
        if high > low:
            part[low - start : high - start] = self.pcm[begin + low : begin + high] / np.float32(32767.0)
        return part

    def loop(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a random part of a random recording, repeated where it is too short."""
        index = int(rng.integers(len(self)))
        duration = int(self.starts[index + 1] - self.starts[index])
        if duration >= length:
            return self.cut(index, int(rng.integers(duration - length + 1)), length)
        return looped(self.cut(index, 0, duration), -int(rng.integers(duration)), length)
