"""The samples of a sound that are asked about: eight seconds at a place, or again and again."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, AudioSource, Sound, open_stream
from nowplaying_core.errors import AudioFormatError, ConfigError
from ondevice_db.places import QUERY_S, Opening

__all__ = ["MOST_S", "blocks_of", "cut", "excerpt_at", "excerpts_every"]

MOST_S = 1e9
"""Thirty years: sample numbers of later times do not fit."""

Samples = NDArray[np.float32]


def blocks_of(sound: Sound | AudioSource | Samples) -> AudioSource:
    """Open a sound.

    Parameters
    ----------
    sound : path, (samples, sample_rate_hz), AudioSource, or ndarray of float32, shape (n,), in [-1, 1]
        An array alone is mono at 16 kHz.

    Raises
    ------
    ConfigError
        When an array has no samples or several channels.
    AudioFormatError
        When a file cannot be read, or samples are no finite numbers.
    """
    if isinstance(sound, AudioSource):
        return sound
    if not isinstance(sound, np.ndarray):
        given = Path(sound) if isinstance(sound, str) and sound != "-" else sound
        return open_stream(given, chunk_samples=SAMPLE_RATE_HZ, lenient=True)
    if sound.ndim != 1 or sound.size == 0:
        message = f"query: expected mono samples (n >= 1,), found an array {sound.shape}"
        raise ConfigError(message)
    return open_stream((sound, SAMPLE_RATE_HZ), chunk_samples=None)


def cut(samples: Samples, start_s: float) -> Samples:
    """Return eight seconds from a place on, or what there is of them."""
    first = round(start_s * SAMPLE_RATE_HZ)
    return samples[first : first + round(QUERY_S * SAMPLE_RATE_HZ)]


def excerpt_at(name: str, opening: Opening, at_s: float) -> Samples:
    """Return eight seconds from a place of a recording on, or what there is of them.

    Raises
    ------
    ConfigError
        When the place is none in thirty years, or lies beyond the end of an array, which is named "samples".
    AudioFormatError
        When a recording does not reach there.
    """
    if not 0 <= at_s <= MOST_S:
        message = f"at_s: expected seconds from 0 to {MOST_S:g}, found {at_s}"
        raise ConfigError(message)
    opening.skip(at_s)
    samples = opening.read(QUERY_S)
    if samples.size == 0:
        found_s = opening.skipped_s + opening.duration_s
        message = f"{name}: expected a start within the {found_s:.1f} s of the recording, found {at_s} s"
        raise (ConfigError if name == "samples" else AudioFormatError)(message)
    return samples


def excerpts_every(blocks: AudioSource, every_s: float) -> Iterator[tuple[float, Samples]]:
    """Yield the place in seconds and the samples of one excerpt after the other, each as soon as it is there.

    The last has at least half of the eight seconds, unless the recording itself is shorter.
    """
    size, held, first, number = round(QUERY_S * SAMPLE_RATE_HZ), np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        while (start := round(number * every_s * SAMPLE_RATE_HZ)) + size <= first + held.size:
            yield number * every_s, held[start - first : start - first + size]
            number += 1
        dropped = min(max(start - first, 0), held.size)
        held, first = held[dropped:], first + dropped
    total = first + held.size
    while number == 0 or (start := round(number * every_s * SAMPLE_RATE_HZ)) + size / 2 <= total:
        start = round(number * every_s * SAMPLE_RATE_HZ)
        yield number * every_s, held[start - first :]
        number += 1
