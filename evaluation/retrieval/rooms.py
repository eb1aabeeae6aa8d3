"""A hundred rooms for development queries: their parameters are part of the repository, their responses are not.

Each room is a shoebox with one absorption for all walls. Its reverberation time is measured on the response by
Schroeder's backward integration (1965), not taken from a formula.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.rooms import shoebox_response
from nowplaying_core.errors import ConfigError

__all__ = ["DevRoom", "draw_dev_rooms", "load_dev_rooms", "measure_t60", "room_response"]

T60_TARGETS_S = (0.2, 0.4, 0.5, 0.7, 0.8)
T60_TOLERANCE_S = 0.05
_PARAMETERS = Path(__file__).with_name("rooms_dev.json")
_MAX_ORDER = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class DevRoom:
    """One simulated room with a loudspeaker and a phone in it.

    Attributes
    ----------
    size_m, source_m, microphone_m : tuple of float, length 3
    absorption : float in (0, 1)
        Share of the energy that a wall absorbs.
    t60_target_s, t60_s : float, seconds
        Reverberation time that the room was drawn for, and that of its response.
    """

    size_m: tuple[float, ...]
    source_m: tuple[float, ...]
    microphone_m: tuple[float, ...]
    absorption: float
    t60_target_s: float
    t60_s: float


def load_dev_rooms() -> list[DevRoom]:
    """Return the hundred committed rooms, twenty for each reverberation time."""
    rooms = json.loads(_PARAMETERS.read_text(encoding="utf-8"))["rooms"]
    triples = ("size_m", "source_m", "microphone_m")
    return [DevRoom(**{**room, **{name: tuple(room[name]) for name in triples}}) for room in rooms]


def room_response(room: DevRoom) -> NDArray[np.float32]:
    """Return a room's response from its direct sound on, with unit energy, until it has decayed by 60 dB."""
    n_samples = round(min(1.2, 1.3 * room.t60_target_s + 0.1) * SAMPLE_RATE_HZ)
    geometry = room.size_m, room.source_m, room.microphone_m
    return shoebox_response(*geometry, room.absorption, n_samples=n_samples, max_order=_MAX_ORDER)


def measure_t60(response: NDArray[np.floating]) -> float:
    """Return the reverberation time in seconds, by Schroeder integration from -5 to -35 dB.

    Raises
    ------
    ConfigError
        When the response does not decay by 35 dB.
    """
    from pyroomacoustics.experimental import measure_rt60

    energy = np.square(response, dtype=np.float64)
    decay_db = 10 * np.log10(energy.sum() / max(energy[-1], 1e-30))
    if decay_db < 35:
        message = f"reverberation time: expected a decay of 35 dB, found {decay_db:.1f} dB in {response.size} samples"
        raise ConfigError(message)
    return float(measure_rt60(response, fs=SAMPLE_RATE_HZ, decay_db=30))


def draw_dev_rooms(rng: np.random.Generator, n_per_target: int = 20) -> list[DevRoom]:
    """Draw rooms and adjust their absorption until the measured reverberation time is right.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_per_target : int >= 1
    """
    rooms: list[DevRoom] = []
    for target_s in T60_TARGETS_S:
        found: list[DevRoom] = []
        while len(found) < n_per_target:
            size = np.array([rng.uniform(2.5, 9.0), rng.uniform(2.2, 7.0), rng.uniform(2.3, 3.6)])
            source, microphone = rng.uniform(0.4, size - 0.4), rng.uniform(0.4, size - 0.4)
            room = _tuned(size, source, microphone, target_s)
            if room is not None and np.linalg.norm(source - microphone) > 0.7:
                found.append(room)
        rooms += found
    return rooms


def _tuned(
    size_m: NDArray[np.float64], source_m: NDArray[np.float64], microphone_m: NDArray[np.float64], target_s: float
) -> DevRoom | None:
    width, depth, height = size_m
    surface = 2 * (width * depth + width * height + depth * height)
    absorption = min(0.95, 0.161 * float(np.prod(size_m)) / (surface * target_s))
    for _ in range(12):
        room = DevRoom(
            size_m=_rounded(size_m),
            source_m=_rounded(source_m),
            microphone_m=_rounded(microphone_m),
            absorption=round(absorption, 4),
            t60_target_s=target_s,
            t60_s=0.0,
        )
        try:
            measured_s = measure_t60(room_response(room))
        except ConfigError:
            return None
        if abs(measured_s - target_s) < 0.6 * T60_TOLERANCE_S:
            return DevRoom(**{**asdict(room), "t60_s": round(measured_s, 4)})
        # Eyring: the decay rate goes with -log(1 - absorption).
        absorption = 1 - (1 - absorption) ** (measured_s / target_s)
        if not 0.02 < absorption < 0.97:
            return None
    return None


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)
