"""The recordings on which models are compared: music and other sounds, alone and mixed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.audio.mixing import band_rms, looped, snr_gain
from nowplaying_core.errors import AudioFormatError

__all__ = ["Sounds", "load_sounds", "mixed", "spread"]

_LONGEST_S: Final = 40.0
_SHORTEST_S: Final = 10.0
Samples = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sounds:
    """Recordings, mono at 16 kHz, 10 to 40 s each.

    Attributes
    ----------
    paths : tuple of Path
        Of the music.
    music, other : tuple of ndarray of float32
    """

    paths: tuple[Path, ...]
    music: tuple[Samples, ...]
    other: tuple[Samples, ...]

    def in_noise(self, snr_db: float) -> Iterator[Samples]:
        """Yield every piece of music in one of the other sounds, in turn."""
        for number, music in enumerate(self.music):
            yield mixed(music, self.other[number % len(self.other)], snr_db)


def load_sounds(music: Sequence[Path], other: Sequence[Path], *, max_items: int) -> Sounds:
    """Read recordings, evenly chosen where there are more than wanted; of long ones the middle.

    Parameters
    ----------
    music, other : sequence of Path
    max_items : int
        Largest number of recordings of each kind.

    Raises
    ------
    AudioFormatError
        When one of the two has no recording of at least 10 s.
    """
    chosen = [(path, samples) for path in _some(music, max_items) if (samples := _middle(path)) is not None]
    others = [samples for path in _some(other, max_items) if (samples := _middle(path)) is not None]
    if not chosen or not others:
        message = (
            f"expected music and other sounds of at least {_SHORTEST_S:g} s, found {len(chosen)} and {len(others)} "
            "recordings; give a folder with more"
        )
        raise AudioFormatError(message)
    return Sounds(
        paths=tuple(path for path, _ in chosen), music=tuple(samples for _, samples in chosen), other=tuple(others)
    )


def mixed(music: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return music in a looped noise at a ratio of RMS from 100 to 7000 Hz."""
    behind = looped(noise, 0, music.size)
    both = music + behind * snr_gain(band_rms(music), band_rms(behind), snr_db)
    loudest = float(np.abs(both).max())
    return (both / max(1.0, loudest)).astype(np.float32)


def spread(n: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of the numbers below n, evenly spaced, with the first and the last."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


def _some(paths: Sequence[Path], max_items: int) -> list[Path]:
    return [paths[number] for number in spread(len(paths), max_items)]


def _middle(path: Path) -> Samples | None:
    samples = load(path)
    length = round(_LONGEST_S * SAMPLE_RATE_HZ)
    start = max(0, (samples.size - length) // 2)
    part = samples[start : start + length]
    return part if part.size >= _SHORTEST_S * SAMPLE_RATE_HZ else None
