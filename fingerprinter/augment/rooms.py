"""Room responses for training: measured, simulated by the image-source method, and exponential decays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_atomic
from nowplaying_core.errors import MissingExtraError

__all__ = ["align", "exponential_room", "simulate_room", "simulated_rooms"]

SAMPLE_RATE_HZ = 16_000
_SPEED_OF_SOUND_M_S = 343.0


def align(room: NDArray[np.floating], n_samples: int) -> NDArray[np.float32]:
    """Return a response that begins at its strongest sample, cut or padded to a length, with unit energy."""
    start = int(np.argmax(np.abs(room)))
    cut = np.zeros(n_samples, np.float32)
    kept = room[start : start + n_samples]
    cut[: len(kept)] = kept
    aligned: NDArray[np.float32] = cut / np.sqrt(np.sum(cut**2) + 1e-12)
    return aligned


def exponential_room(rng: np.random.Generator, n_samples: int) -> NDArray[np.float32]:
    """Draw a direct sound followed by an exponentially decaying, darkening noise tail (Polack's model).

    T60 is log-uniform in 0.1 to 1.2 s, the direct-to-reverberant ratio uniform in -6 to 12 dB.
    """
    t60_s = np.exp(rng.uniform(np.log(0.1), np.log(1.2)))
    ratio_db = rng.uniform(-6.0, 12.0)
    time_s = np.arange(n_samples) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(n_samples) * 10.0 ** (-3.0 * time_s / t60_s)
    # Air and walls swallow high frequencies first: a second tail, smoothed, outlives the first.
    dark = np.convolve(rng.standard_normal(n_samples), np.ones(4) / 2.0, mode="same")
    tail = 0.6 * tail * np.exp(-time_s / (0.3 * t60_s)) + 0.4 * dark * 10.0 ** (-3.0 * time_s / t60_s)
    tail[: int(rng.uniform(0.001, 0.01) * SAMPLE_RATE_HZ)] = 0.0
    tail *= 10.0 ** (-ratio_db / 20.0) / np.sqrt(np.sum(tail**2) + 1e-12)
    tail[0] = 1.0
    return align(tail, n_samples)


def simulate_room(rng: np.random.Generator, n_samples: int) -> NDArray[np.float32]:
    """Draw a shoebox room with a source and a microphone and compute its response by the image-source method.

    Raises
    ------
    MissingExtraError
        When pyroomacoustics is not installed.
    """
    try:
        import pyroomacoustics
    except ImportError as error:
        raise MissingExtraError(extra="train", needed_for="simulating rooms", cause=error) from error
    size_m = np.array([rng.uniform(2.2, 10.0), rng.uniform(2.0, 8.0), rng.uniform(2.2, 3.8)])
    # Below this a room of that size would need walls that swallow more than everything (Sabine).
    volume, surface = np.prod(size_m), 2 * (size_m[0] * size_m[1] + size_m[1] * size_m[2] + size_m[0] * size_m[2])
    shortest_s = 0.161 * volume / surface / 0.9
    t60_s = max(float(np.exp(rng.uniform(np.log(0.15), np.log(0.9)))), 1.05 * shortest_s)
    absorption, max_order = pyroomacoustics.inverse_sabine(t60_s, size_m)
    room = pyroomacoustics.ShoeBox(
        size_m, fs=SAMPLE_RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=min(max_order, 24)
    )
    room.add_source(rng.uniform(0.3, size_m - 0.3))
    room.add_microphone(rng.uniform(0.3, size_m - 0.3))
    room.compute_rir()
    response = np.asarray(room.rir[0][0])
    return align(_extend_tail(rng, response, t60_s, n_samples), n_samples)


def _extend_tail(
    rng: np.random.Generator, response: NDArray[np.float64], t60_s: float, n_samples: int
) -> NDArray[np.float64]:
    """Continue a response that the image order cut off by noise of the same decay, so that long rooms stay long."""
    if len(response) >= n_samples or len(response) < 800:
        return response
    level = np.sqrt(np.mean(response[-1600:-400] ** 2)) if len(response) > 2000 else 0.0
    time_s = np.arange(n_samples) / SAMPLE_RATE_HZ
    join = len(response) - 400
    tail = level * rng.standard_normal(n_samples) * 10.0 ** (-3.0 * (time_s - join / SAMPLE_RATE_HZ) / t60_s)
    tail[:join] = response[:join]
    return tail


def simulated_rooms(n_rooms: int, *, n_samples: int, seed: int, cache_dir: Path) -> NDArray[np.float32]:
    """Return image-source responses, simulated once and kept in a cache folder.

    Returns
    -------
    ndarray of float32, shape (n_rooms, n_samples)
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    entry = cache_dir / f"rooms-v1-{n_rooms}-{n_samples}-{seed}.npy"
    if not entry.exists():
        rooms = np.stack([simulate_room(np.random.default_rng([seed, index]), n_samples) for index in range(n_rooms)])

        def save(temporary: Path) -> None:
            with temporary.open("wb") as handle:
                np.save(handle, rooms, allow_pickle=False)

        write_atomic(entry, save)
    loaded: NDArray[np.float32] = np.load(entry, allow_pickle=False)
    return loaded


def stack_rooms(rooms: Sequence[NDArray[np.floating]], n_samples: int) -> NDArray[np.float32]:
    """Return measured responses aligned and stacked, shape (n_rooms, n_samples)."""
    return np.stack([align(room, n_samples) for room in rooms])
