"""Decoded recordings, from which training cuts its windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.cache import map_cached
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.mixing import looped
from nowplaying_core.errors import ConfigError

__all__ = ["MIN_NOISE_S", "Recordings"]

MIN_NOISE_S: Final = 0.2
_SILENT_RMS: Final = 10.0 ** (-55.0 / 20.0)


@dataclass(frozen=True, slots=True)
class Recordings:
    """Decoded recordings as int16, in memory or mapped from the cache of decoded audio.

    Attributes
    ----------
    parts : tuple of ndarray of int16, shape (n_samples,)
        One for each recording.
    """

    parts: tuple[NDArray[np.int16], ...]

    @classmethod
    def join(cls, recordings: Sequence[NDArray[np.int16]], *, min_samples: int = 0) -> "Recordings":
        """Take recordings together, leaving out those shorter than ``min_samples``."""
        kept = tuple(recording for recording in recordings if len(recording) >= min_samples)
        if not kept:
            message = f"expected recordings of at least {min_samples} samples, found none among {len(recordings)}"
            raise ConfigError(message)
        return cls(kept)

    @classmethod
    def load(cls, files: Sequence[CorpusFile], cache_dir: Path, *, min_s: float = 0.0) -> "Recordings":
        """Decode files into the cache, and read from there what is drawn: dozens of hours take no memory."""
        mapped = [map_cached(file.path, cache_dir) for file in files]
        return cls.join(mapped, min_samples=round(min_s * SAMPLE_RATE_HZ))

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def hours(self) -> float:
        """Total duration at 16 kHz."""
        return sum(map(len, self.parts)) / SAMPLE_RATE_HZ / 3600

    def cut(self, index: int, start: int, length: int) -> NDArray[np.float32]:
        """Return a part of one recording, with zeros before its begin and after its end."""
        recording, part = self.parts[index], np.zeros(length, np.float32)
        low, high = max(0, start), min(len(recording), start + length)
        if high > low:
            part[low - start : high - start] = recording[low:high] / np.float32(32767.0)
        return part

    def sounds(self, index: int, start: int, length: int) -> bool:
        """Return whether a part of one recording is louder than silence; every eighth sample tells."""
        return bool(np.sqrt(np.mean(self.cut(index, start, length)[::8] ** 2)) > _SILENT_RMS)

    def loop(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a random part of a random recording, repeated where it is too short."""
        index = int(rng.integers(len(self)))
        duration = len(self.parts[index])
        if duration >= length:
            return self.cut(index, int(rng.integers(duration - length + 1)), length)
        return looped(self.cut(index, 0, duration), -int(rng.integers(duration)), length)
