"""Room responses for training: simulated shoebox rooms, and stacks of equal length."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_array
from nowplaying_core.audio.rooms import from_direct_sound, shoebox_response

__all__ = ["simulate_room", "simulated_rooms", "stack_rooms"]

_MAX_ORDER = 24


def simulate_room(rng: np.random.Generator, n_samples: int) -> NDArray[np.float32]:
    """Draw a shoebox room with a source and a microphone, and simulate its response; T60 is 0.15 to 0.9 s.

    Raises
    ------
    MissingExtraError
        When pyroomacoustics is not installed.
    """
    size_m = np.array([rng.uniform(2.2, 10.0), rng.uniform(2.0, 8.0), rng.uniform(2.2, 3.8)])
    volume, surface = np.prod(size_m), 2 * (size_m[0] * size_m[1] + size_m[1] * size_m[2] + size_m[0] * size_m[2])
    t60_s = float(np.exp(rng.uniform(np.log(0.15), np.log(0.9))))
    # By Sabine's formula; a short T60 would take more absorption than there is.
    absorption = min(0.161 * volume / surface / t60_s, 0.86)
    source_m, microphone_m = rng.uniform(0.3, size_m - 0.3), rng.uniform(0.3, size_m - 0.3)
    geometry = size_m.tolist(), source_m.tolist(), microphone_m.tolist()
    return shoebox_response(*geometry, absorption, n_samples=n_samples, max_order=_MAX_ORDER)


def simulated_rooms(n_rooms: int, *, n_samples: int, seed: int, cache_dir: Path) -> NDArray[np.float32]:
    """Return image-source responses, simulated once and kept in a cache folder, from which they are read as needed.

    Returns
    -------
    ndarray of float32, shape (n_rooms, n_samples)
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    entry = cache_dir / f"rooms-v2-{n_rooms}-{n_samples}-{seed}.npy"
    if not entry.exists():
        rooms = [simulate_room(np.random.default_rng([seed, index]), n_samples) for index in range(n_rooms)]
        write_array(entry, np.stack(rooms))
    loaded: NDArray[np.float32] = np.load(entry, mmap_mode="r", allow_pickle=False)
    return loaded


def stack_rooms(rooms: Sequence[NDArray[np.floating]], n_samples: int) -> NDArray[np.float32]:
    """Return measured responses from their direct sound on, shape (n_rooms, n_samples), padded with zeros."""
    stacked = np.zeros((len(rooms), n_samples), np.float32)
    for row, room in zip(stacked, rooms, strict=True):
        response = from_direct_sound(room, n_samples)
        row[: response.size] = response
    return stacked
