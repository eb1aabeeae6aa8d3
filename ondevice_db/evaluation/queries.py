"""Compose queries as a phone would hear them: excerpt, room with past context, noise, band limit, mu-law.

A plan fixes everything that is drawn at random (track, place, noise, room) once, so that all conditions and all systems
are compared on the same excerpts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from nowplaying.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16
from nowplaying.errors import ConfigError

__all__ = [
    "CLEAN",
    "ROOMS",
    "Condition",
    "Plan",
    "Query",
    "Room",
    "band_power",
    "compose",
    "draw_plan",
    "loopable",
    "paired_conditions",
    "standard_conditions",
]

SNR_BAND_HZ = (100.0, 7000.0)
PHONE_BAND_HZ = (200.0, 3800.0)
PAST_S = 1.0
LONGEST_S = 8.0
_LEVEL_DBFS = -20.0
_AUDIBLE_DBFS = -45.0

Room = Literal["none", "simulated", "measured", "T60 0.2 s", "T60 0.4 s", "T60 0.5 s", "T60 0.7 s", "T60 0.8 s"]
ROOMS: tuple[Room, ...] = get_args(Room)
_PAIRED_ROOMS: tuple[Room, ...] = ("none", "simulated")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """How a query is degraded.

    Attributes
    ----------
    length_s : float in (0, 8], seconds
    snr_db : float or None
        RMS of the (reverberated) music over that of the noise, over the excerpt, in 100-7000 Hz; None is without noise.
    room : {"none", "simulated", "measured", "T60 0.2 s", ...}
        The simulated ones of all reverberation times or of one.
    noise_in_room : bool
        The noise sounds in the same room; otherwise it is taken as it was recorded, which was in some room already.
    phone_band : bool
        Limit to 200-3800 Hz after the noise, as a poor telephone microphone would.
    mulaw : bool
        Store in 8-bit mu-law as the phone's ring buffer does.
    """

    length_s: float = 8.0
    snr_db: float | None = None
    room: Room = "none"
    noise_in_room: bool = False
    phone_band: bool = False
    mulaw: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.length_s <= LONGEST_S or self.room not in ROOMS:
            message = f"condition: expected a length in (0, 8] s and a kind of room, found {self}"
            raise ConfigError(message)

    @property
    def name(self) -> str:
        """Short name, such as ``"0 dB, room, 8 s"``."""
        parts = ["clean" if self.snr_db is None else f"{self.snr_db:g} dB"]
        parts += {"none": [], "simulated": ["room"], "measured": ["measured room"]}.get(self.room, [self.room])
        parts += ["noise in the room"] * self.noise_in_room
        parts += ["phone band"] * self.phone_band + ["no mu-law"] * (not self.mulaw)
        return ", ".join([*parts, f"{self.length_s:g} s"])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


CLEAN = Condition()


def paired_conditions() -> list[Condition]:
    """Return the conditions under which systems are compared query by query: the easier and the harder, 8 and 2 s."""
    return [
        Condition(length_s=length_s, snr_db=snr, room=room)
        for length_s in (8.0, 2.0)
        for snr, room in ((5.0, _PAIRED_ROOMS[0]), (0.0, _PAIRED_ROOMS[1]))
    ]


def standard_conditions() -> list[Condition]:
    """Return the conditions of the standard table: clean, 5 and 0 dB, with and without rooms, at 8 s and at 2 s."""
    return [
        Condition(),
        *(Condition(snr_db=snr, room=room) for room in _PAIRED_ROOMS for snr in (5.0, 0.0)),
        Condition(length_s=2.0, snr_db=5.0),
        Condition(length_s=2.0, snr_db=0.0, room="simulated"),
        Condition(snr_db=0.0, room="measured"),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What a query is made of.

    Attributes
    ----------
    path : Path
        Recording that the excerpt is cut from.
    start_s : float, seconds
    noise : int
        Number of the noise recording.
    noise_start : float in [0, 1)
        Where in its loop the noise begins.
    simulated_room, measured_room : int
        Numbers of the rooms.
    """

    path: Path
    start_s: float
    noise: int
    noise_start: float
    simulated_room: int
    measured_room: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The queries of an evaluation and the sounds that degrade them.

    Attributes
    ----------
    queries : tuple of Query
    noises : tuple of ndarray of float32
        From :func:`loopable`.
    rooms : mapping of kind to tuple of ndarray of float32
        Responses that begin at the direct sound.
    """

    queries: tuple[Query, ...]
    noises: tuple[NDArray[np.float32], ...]
    rooms: Mapping[str, tuple[NDArray[np.float32], ...]]


def draw_plan(
    recordings: Mapping[Path, NDArray[np.float32]],
    noises: Sequence[NDArray[np.float32]],
    rooms: Mapping[str, Sequence[NDArray[np.float32]]],
    n_queries: int,
    rng: np.random.Generator,
) -> Plan:
    """Draw queries from recordings in turn, so that all have equally many, at audible places.

    Parameters
    ----------
    recordings : mapping of Path to ndarray of float32
        Those shorter than 8 s are left out, unless all are.
    noises : sequence of ndarray of float32
    rooms : mapping
        Responses for the kinds "simulated" and "measured"; a kind may be empty when no condition uses it.
    n_queries : int >= 1
    rng : numpy.random.Generator
    """
    long_enough = [path for path, samples in recordings.items() if samples.size >= LONGEST_S * SAMPLE_RATE_HZ]
    paths = long_enough or list(recordings)
    if not paths or n_queries < 1 or not noises:
        message = (
            f"plan: expected recordings, noises and n_queries >= 1, found {len(paths)}, {len(noises)}, {n_queries}"
        )
        raise ConfigError(message)
    queries = []
    for number in range(n_queries):
        path = paths[number % len(paths)]
        queries.append(
            Query(
                path=path,
                start_s=_audible_start_s(recordings[path], rng),
                noise=int(rng.integers(len(noises))),
                noise_start=float(rng.random()),
                simulated_room=int(rng.integers(max(1, len(rooms.get("simulated", ()))))),
                measured_room=int(rng.integers(max(1, len(rooms.get("measured", ()))))),
            )
        )
    return Plan(
        queries=tuple(queries),
        noises=tuple(loopable(noise) for noise in noises),
        rooms={kind: tuple(responses) for kind, responses in rooms.items()},
    )


def compose(query: Query, samples: NDArray[np.float32], condition: Condition, plan: Plan) -> NDArray[np.float32]:
    """Return what the phone hears.

    Parameters
    ----------
    query : Query
    samples : ndarray of float32, shape (n,), in [-1, 1]
        The whole recording that the query is cut from.
    condition : Condition
    plan : Plan
        With the noises and rooms that the query numbers refer to.

    Returns
    -------
    ndarray of float32, shape (length_s * 16000,), in [-1, 1]
    """
    first, n = round(query.start_s * SAMPLE_RATE_HZ), round(condition.length_s * SAMPLE_RATE_HZ)
    music = samples[first : first + n]
    response = _room_response(query, condition.room, plan)
    if response is not None:
        # Sound from before the excerpt still rings in the room when it begins.
        past = samples[max(0, first - max(response.size, round(PAST_S * SAMPLE_RATE_HZ))) : first]
        wet = scipy.signal.fftconvolve(np.concatenate([past, music]), response)
        music = wet[past.size : past.size + n].astype(np.float32)
    music = np.pad(music, (0, n - music.size))
    if condition.snr_db is not None:
        noise = _heard_noise(query, n, plan, response if condition.noise_in_room else None)
        ratio = band_power(music) / max(band_power(noise), 1e-20)
        music = music + noise * np.float32(np.sqrt(ratio) * 10 ** (-condition.snr_db / 20))
    if condition.phone_band:
        filters = scipy.signal.butter(4, PHONE_BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
        music = scipy.signal.sosfilt(filters, music).astype(np.float32)
    heard = _levelled(music)
    return to_float32(mulaw.decode(mulaw.encode(to_int16(heard)))) if condition.mulaw else heard


def band_power(samples: NDArray[np.float32]) -> float:
    """Return the mean square of a signal within 100-7000 Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies_hz = np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE_HZ)
    inside = (frequencies_hz >= SNR_BAND_HZ[0]) & (frequencies_hz <= SNR_BAND_HZ[1])
    return float(2 * np.sum(np.abs(spectrum[inside]) ** 2) / samples.size**2)


def loopable(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a noise without its silent parts: blocks of 50 ms more than 40 dB below the loudest one are cut."""
    block = SAMPLE_RATE_HZ // 20
    n_blocks = max(1, noise.size // block)
    blocks = noise[: n_blocks * block].reshape(n_blocks, -1)
    power = np.square(blocks, dtype=np.float64).mean(axis=1)
    kept = blocks[power > max(float(power.max()) * 1e-4, 1e-12)]
    return np.ascontiguousarray(kept.ravel() if kept.size else noise)


def _room_response(query: Query, room: Room, plan: Plan) -> NDArray[np.float32] | None:
    if room == "none":
        return None
    responses = plan.rooms[room]
    # A room number was drawn among all simulated rooms; there are fewer of one reverberation time.
    return responses[(query.measured_room if room == "measured" else query.simulated_room) % len(responses)]


def _heard_noise(query: Query, n: int, plan: Plan, response: NDArray[np.float32] | None) -> NDArray[np.float32]:
    noise = plan.noises[query.noise]
    if response is None:
        return _looped(noise, query.noise_start, n)
    dry = _looped(noise, query.noise_start, n + response.size)
    return scipy.signal.fftconvolve(dry, response)[response.size : response.size + n].astype(np.float32)


def _looped(noise: NDArray[np.float32], start: float, n: int) -> NDArray[np.float32]:
    first = int(start * noise.size)
    return np.take(noise, np.arange(first, first + n), mode="wrap")


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    rms, peak = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), float(np.abs(samples).max())
    gain = min(10 ** (_LEVEL_DBFS / 20) / max(rms, 1e-9), 0.99 / max(peak, 1e-9))
    return samples * np.float32(gain)


def _audible_start_s(samples: NDArray[np.float32], rng: np.random.Generator) -> float:
    n = round(LONGEST_S * SAMPLE_RATE_HZ)
    last_s = max(0.0, (samples.size - n) / SAMPLE_RATE_HZ)
    start_s = 0.0
    for _ in range(20):
        # At least a second of past for the room, where the recording has it.
        start_s = float(rng.uniform(min(PAST_S, last_s), last_s))
        part = samples[round(start_s * SAMPLE_RATE_HZ) :][:n]
        quietest = min(np.mean(np.square(quarter, dtype=np.float64)) for quarter in np.array_split(part, 4))
        if quietest > 10 ** (_AUDIBLE_DBFS / 10):
            break
    return start_s
