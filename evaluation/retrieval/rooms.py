"""A hundred rooms for development queries: their parameters are part of the repository, their responses are not.

Each room is a shoebox with one absorption for all walls, computed by the image-source method (Allen and Berkley, 1979)
up to an order, and by noise of the same decay after it. Its reverberation time is measured on the response by
Schroeder's backward integration (1965), not taken from a formula.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError, MissingExtraError

__all__ = ["DevRoom", "draw_dev_rooms", "load_dev_rooms", "measure_t60", "room_response"]

T60_TARGETS_S = (0.2, 0.4, 0.5, 0.7, 0.8)
T60_TOLERANCE_S = 0.05
_PARAMETERS = Path(__file__).with_name("rooms_dev.json")
_SPEED_OF_SOUND_M_S = 343.0
_MAX_ORDER = 40
_JOIN_SAMPLES = 320  # 20 ms set the level of the tail


@dataclass(frozen=True, kw_only=True, slots=True)
class DevRoom:
    """One simulated room with a loudspeaker and a phone in it.

    Attributes
    ----------
    size_m, source_m, microphone_m : tuple of float, length 3
    absorption : float in (0, 1)
        Energy that a wall swallows.
    t60_target_s, t60_s : float, seconds
        What the room was drawn for, and what its response measures.
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
    """Return a room's response from its direct sound on, with unit energy.

    Returns
    -------
    ndarray of float32, shape (n,)
        Until it has decayed by 60 dB, at most 1.2 s.

    Raises
    ------
    MissingExtraError
        When pyroomacoustics is not installed.
    """
    try:
        import pyroomacoustics
    except ImportError as error:
        extra, purpose = "train", "simulating rooms"
        raise MissingExtraError(extra, purpose, error) from error
    length_s = min(1.2, 1.3 * room.t60_target_s + 0.1)
    order = min(_MAX_ORDER, int(np.ceil(length_s * _SPEED_OF_SOUND_M_S / min(room.size_m))) + 1)
    shoebox = pyroomacoustics.ShoeBox(
        room.size_m, fs=SAMPLE_RATE_HZ, materials=pyroomacoustics.Material(room.absorption), max_order=order
    )
    shoebox.add_source(room.source_m)
    shoebox.add_microphone(room.microphone_m)
    shoebox.compute_rir()
    images = np.asarray(shoebox.rir[0][0], np.float64)
    response = _with_tail(images, room, order, round(length_s * SAMPLE_RATE_HZ))
    unit: NDArray[np.float32] = (response / np.sqrt(np.sum(response**2))).astype(np.float32)
    return unit


def _with_tail(images: NDArray[np.float64], room: DevRoom, order: int, n_samples: int) -> NDArray[np.float64]:
    """Return the response from the direct sound on, continued by decaying noise where higher orders would begin.

    The number of images grows with the cube of their order; a late tail is as good as noise (Polack, 1988), decaying
    at Eyring's rate. The noise depends on the room's geometry alone.
    """
    direct = int(np.argmax(np.abs(images)))
    response = np.zeros(n_samples)
    early = images[direct : direct + n_samples]
    response[: early.size] = early
    join = round(order * min(room.size_m) / _SPEED_OF_SOUND_M_S * SAMPLE_RATE_HZ) - direct
    before = response[max(0, join - _JOIN_SAMPLES) : join]
    if join >= n_samples or before.size < _JOIN_SAMPLES:
        return response
    width, depth, height = room.size_m
    surface = 2 * (width * depth + width * height + depth * height)
    t60_s = 0.161 * width * depth * height / (-surface * np.log(1 - room.absorption))
    seed = [round(1000 * value) for value in (*room.size_m, *room.source_m, *room.microphone_m)]
    noise = np.random.default_rng(seed).standard_normal(n_samples - join)
    time_s = np.arange(n_samples - join) / SAMPLE_RATE_HZ
    response[join:] = np.sqrt(np.mean(before**2)) * noise * 10.0 ** (-3.0 * time_s / t60_s)
    return response


def measure_t60(response: NDArray[np.floating]) -> float:
    """Return the reverberation time of a response in seconds.

    Schroeder integration: a line is fitted to the backward-integrated energy between -5 and -35 dB and extended to
    a decay of 60 dB.

    Raises
    ------
    ConfigError
        When the response does not decay by 35 dB.
    """
    energy = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    decay_db = 10 * np.log10(energy / energy[0] + 1e-30)
    part = np.flatnonzero((decay_db <= -5) & (decay_db >= -35))
    if part.size < 2 or decay_db[-1] > -35:
        message = (
            f"reverberation time: expected a decay of 35 dB, found {-decay_db[-1]:.1f} dB in {response.size} samples"
        )
        raise ConfigError(message)
    slope = np.polyfit(part / SAMPLE_RATE_HZ, decay_db[part], 1)[0]
    return float(-60 / slope)


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
