"""Draw an evaluation's queries: which excerpt of which recording, with which noise and room.

A plan fixes everything that is drawn at random (track, place, noise, room) once, so that all conditions and all systems
are compared on the same excerpts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from evaluation.retrieval.conditions import LONGEST_S
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.mixing import drop_silence
from nowplaying_core.errors import ConfigError

__all__ = ["PAST_S", "Plan", "Query", "draw_plan"]

PAST_S = 1.0
_AUDIBLE_DBFS = -45.0
_GRID_S = 0.25


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
        From :func:`~nowplaying_core.audio.mixing.drop_silence`.
    rooms : mapping of kind to tuple of ndarray of float32
        Responses that begin at the direct sound.
    silent : tuple of Path
        Recordings that were given and have no query, because they sound for less than eight seconds on end.
    """

    queries: tuple[Query, ...]
    noises: tuple[NDArray[np.float32], ...]
    rooms: Mapping[str, tuple[NDArray[np.float32], ...]]
    silent: tuple[Path, ...] = ()


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
    long_enough = {path: samples for path, samples in recordings.items() if samples.size >= LONGEST_S * SAMPLE_RATE_HZ}
    places_s = {path: _audible_places_s(samples) for path, samples in (long_enough or recordings).items()}
    paths = [path for path, found in places_s.items() if found.size]
    if not paths or n_queries < 1 or not noises:
        message = (
            f"plan: expected recordings that sound, noises and n_queries >= 1, found {len(paths)}, {len(noises)}, "
            f"{n_queries}"
        )
        raise ConfigError(message)
    queries = []
    for number in range(n_queries):
        path = paths[number % len(paths)]
        queries.append(
            Query(
                path=path,
                start_s=float(rng.choice(places_s[path]) + rng.uniform(0.0, _GRID_S)),
                noise=int(rng.integers(len(noises))),
                noise_start=float(rng.random()),
                simulated_room=int(rng.integers(max(1, len(rooms.get("simulated", ()))))),
                measured_room=int(rng.integers(max(1, len(rooms.get("measured", ()))))),
            )
        )
    return Plan(
        queries=tuple(queries),
        noises=tuple(drop_silence(noise) for noise in noises),
        rooms={kind: tuple(responses) for kind, responses in rooms.items()},
        silent=tuple(path for path, found in places_s.items() if not found.size),
    )


def _audible_places_s(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the starts, on a grid, of excerpts of eight seconds of which every quarter sounds."""
    block = round(_GRID_S * SAMPLE_RATE_HZ)
    n_excerpt = round(LONGEST_S / _GRID_S)
    n_blocks = samples.size // block
    if n_blocks < n_excerpt:
        return np.zeros(1) if samples.any() else np.zeros(0)
    power = np.square(samples[: n_blocks * block].reshape(n_blocks, block), dtype=np.float64).mean(axis=1)
    quarters = sliding_window_view(power, n_excerpt // 4).mean(axis=1)
    starts = np.arange(n_blocks - n_excerpt + 1)
    quietest = np.min([quarters[starts + quarter * (n_excerpt // 4)] for quarter in range(4)], axis=0)
    audible = starts[quietest > 10 ** (_AUDIBLE_DBFS / 10)]
    # At least a second of past for the room, where the recording has it, and room for the place within the grid.
    inner = audible[(audible >= PAST_S / _GRID_S) & (audible < starts[-1])]
    return np.asarray((inner if inner.size else audible) * _GRID_S)
