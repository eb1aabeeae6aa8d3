"""Synthetic distractors: fingerprints with the statistics of real songs, for size and speed at any scale.

A song is a place of its own in the space, around which it walks. The walk has two speeds, the change from one
fingerprint to the next and the change from one section to the next, and some sections return, a little different, as a
refrain does. Real fingerprints also crowd together wherever music likes to be, so each is pulled towards its cell c:

    y_t = unit(mean + song + L (sqrt(1 - s) w_t + sqrt(s) v_section(t))),   w_t = phi w_{t-1} + sqrt(1 - phi^2) e_t
    x_t = unit(y_t + a (m[c(y_t)] - y_t))

Its few parameters are fitted to real music by :mod:`evaluation.retrieval.distractor_fit`. Searching among such songs
measures how large and how quick a database is, and how much of the exact answer its search finds. It does not measure
accuracy: real music has covers, loops and look-alikes that no such model makes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_arrays
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from nowplaying_core.settings import require_between, require_positive
from ondevice_db.format.track import Track
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.normalize import l2_normalize

__all__ = ["SHIPPED_STATISTICS", "SongStatistics", "distractor_track", "synthesize_songs"]

SHIPPED_STATISTICS = Path(__file__).with_name("distractors.npz")
_SONGS_AT_ONCE = 64
_DURATION_SPREAD = 0.25  # of the logarithm: half of the songs last between 0.85 and 1.18 times the mean


@dataclass(frozen=True, kw_only=True, slots=True)
class SongStatistics:
    """How the fingerprints of songs are spread, between songs and within one.

    Attributes
    ----------
    mean : ndarray of float32, shape (dim,)
        Of all fingerprints.
    between, within : ndarray of float32, shape (dim, dim)
        Factors L of the covariances ``L L^T`` of songs about the mean, and of a song's fingerprints about its own.
    hop_s : float, seconds
        Of the fingerprints that were fitted.
    section_share : float in [0, 1]
        Share of the variance within a song that changes from section to section only.
    section_s : float, seconds
        Mean length of a section.
    lag_correlation : float in [0, 1)
        Of the rest, from one fingerprint to the next.
    repeat_share : float in [0, 1)
        Probability that a section is an earlier one again.
    repeat_noise : float in [0, 1]
        Standard deviation in which it differs then, as a share of that within a song.
    clustering : float in [0, 1)
        How far fingerprints are pulled towards their cells.
    silent_share : float in [0, 1)
        Of a song's fingerprints; they stand at its end.
    embedding_space : str
        Of the fingerprints that were fitted.
    provenance : mapping
        What was fitted, and how near the result came.
    """

    mean: NDArray[np.float32]
    between: NDArray[np.float32]
    within: NDArray[np.float32]
    hop_s: float
    section_share: float
    section_s: float
    lag_correlation: float
    repeat_share: float
    repeat_noise: float
    clustering: float
    silent_share: float
    embedding_space: str
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        dim = self.mean.size
        for name in ("between", "within"):
            if getattr(self, name).shape != (dim, dim):
                message = f"song statistics, {name}: expected shape {(dim, dim)}, found {getattr(self, name).shape}"
                raise ConfigError(message)
        shares = ("section_share", "lag_correlation", "repeat_share", "repeat_noise", "clustering", "silent_share")
        require_between(self, 0, 1, *shares, table="song statistics")
        require_positive(self, "hop_s", "section_s", table="song statistics")

    def save(self, path: Path) -> None:
        """Write the parameters as a small ``.npz``; the matrices are rounded to half precision."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in ("mean", "between", "within")}
        rest = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in arrays}
        text = np.frombuffer(json.dumps({**rest, "provenance": dict(self.provenance)}, indent=1).encode(), np.uint8)
        write_arrays(path, {"parameters": text, **arrays})

    @classmethod
    def load(cls, path: Path = SHIPPED_STATISTICS) -> "SongStatistics":
        """Read what :meth:`save` wrote; by default the statistics that ship with the project.

        Raises
        ------
        CorruptArtifactError
            When the file is missing or holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name].astype(np.float32) for name in ("mean", "between", "within")}
                return cls(**arrays, **json.loads(stored["parameters"].tobytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path}: expected the statistics of songs ({error}); fit them with benchmarks/fit_distractors.py"
            raise CorruptArtifactError(message) from error


def synthesize_songs(
    statistics: SongStatistics,
    codebook: Codebook,
    n_songs: int,
    *,
    seed: int = 0,
    first: int = 0,
    mean_duration_s: float = 210.0,
    equal_lengths: bool = False,
) -> Iterator[NDArray[np.float32]]:
    """Yield the fingerprints of songs; song number n is the same whatever was made before it.

    Parameters
    ----------
    statistics : SongStatistics
    codebook : Codebook
        Of the same embedding space; its cells are where fingerprints crowd.
    n_songs : int >= 1
    seed : int
    first : int >= 0
        Number of the first song; a multiple of 64.
    mean_duration_s : float, seconds
    equal_lengths : bool
        Give all songs the mean duration.

    Yields
    ------
    ndarray of float32, shape (n, dim)
        Unit rows; zero where the song is silent.
    """
    if codebook.dim != statistics.mean.size or first % _SONGS_AT_ONCE:
        message = (
            f"distractors: expected a codebook of {statistics.mean.size} dimensions and a first song that is a "
            f"multiple of {_SONGS_AT_ONCE}, found {codebook.dim} and {first}"
        )
        raise ConfigError(message)
    for start in range(first, first + n_songs, _SONGS_AT_ONCE):
        rng = np.random.default_rng([seed, start])
        n = mean_duration_s / statistics.hop_s
        spread = 0.0 if equal_lengths else _DURATION_SPREAD
        drawn = n * np.exp(spread * rng.standard_normal(_SONGS_AT_ONCE) - spread**2 / 2)
        lengths = np.maximum(np.rint(drawn).astype(np.int64), 2)
        songs = np.split(_draw(statistics, codebook, lengths, rng), np.cumsum(lengths)[:-1])
        yield from songs[: first + n_songs - start]


def distractor_track(number: int, n_fingerprints: int, hop_s: float) -> Track:
    """Return metadata of the usual length for a song that does not exist; the title says so."""
    return Track(
        track_id=f"{number:016x}",
        title=f"Distractor {number:07} (synthetic)",
        artist=f"Synthetic artist {number % 9973:04}",
        album=f"Synthetic distractors {number // 12:06}",
        duration_s=round(n_fingerprints * hop_s, 1),
        source=f"distractor:{number}",
    )


def _draw(
    statistics: SongStatistics, codebook: Codebook, lengths: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    dim, total = statistics.mean.size, int(lengths.sum())
    song_of = np.repeat(np.arange(lengths.size), lengths)
    walk = _walk(statistics.lag_correlation, lengths, rng, dim)
    sections, source = _sections(statistics, lengths, rng)
    levels = rng.standard_normal((int(sections[-1]) + 1, dim), np.float32)
    share = np.float32(statistics.section_share)
    inner = np.sqrt(1 - share) * walk + np.sqrt(share) * levels[sections]
    again = np.flatnonzero(source != np.arange(total))
    noise = np.float32(statistics.repeat_noise)
    changed = rng.standard_normal((again.size, dim), np.float32)
    # Sources lie before their repeats and are no repeats themselves, so that one step resolves them all.
    inner[again] = np.sqrt(1 - noise**2) * inner[source[again]] + noise * changed
    places = rng.standard_normal((lengths.size, dim), np.float32) @ statistics.between.T
    rows = l2_normalize(statistics.mean + places[song_of] + inner @ statistics.within.T)
    rows += np.float32(statistics.clustering) * (codebook.centroids[codebook.assign(rows)] - rows)
    rows = l2_normalize(rows)
    place = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    # Most songs end in sound; a few end in a long silence.
    silent = np.minimum(
        rng.exponential(2 * statistics.silent_share, lengths.size) * rng.integers(0, 2, lengths.size), 0.5
    )
    rows[place >= np.ceil((1 - silent) * lengths)[song_of]] = 0
    return rows


def _walk(correlation: float, lengths: NDArray[np.int64], rng: np.random.Generator, dim: int) -> NDArray[np.float32]:
    """Return first-order autoregressive walks of unit variance, song after song, shape (sum of lengths, dim)."""
    steps = rng.standard_normal((int(lengths.sum()), dim), np.float32)
    starts = np.cumsum(lengths) - lengths
    order = np.argsort(-lengths, kind="stable")
    starts, ordered = starts[order], lengths[order]
    phi, rest = np.float32(correlation), np.float32(np.sqrt(1 - correlation**2))
    for time in range(1, int(ordered[0])):
        rows = starts[: int(np.searchsorted(-ordered, -time, side="left"))] + time
        steps[rows] = phi * steps[rows - 1] + rest * steps[rows]
    return steps


def _sections(
    statistics: SongStatistics, lengths: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each fingerprint's section and the fingerprint that it repeats, which is itself where it is new."""
    total = int(lengths.sum())
    starts = np.cumsum(lengths) - lengths
    begins = rng.random(total) < statistics.hop_s / statistics.section_s
    begins[starts] = True
    sections = np.cumsum(begins) - 1
    firsts = np.flatnonzero(begins)
    sizes = np.diff(np.append(firsts, total))
    song = np.searchsorted(starts, firsts, side="right") - 1
    source = np.arange(total)
    repeats = rng.random(firsts.size) < statistics.repeat_share
    picks = rng.random(firsts.size)
    originals: list[int] = []
    for number in range(firsts.size):
        if number == 0 or song[number] != song[number - 1]:
            originals = []
        elif repeats[number]:
            copied = originals[int(picks[number] * len(originals))]
            n = min(sizes[number], sizes[copied])
            source[firsts[number] : firsts[number] + n] = firsts[copied] + np.arange(n)
            continue
        originals.append(number)
    return sections, source
