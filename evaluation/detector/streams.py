"""Long streams of real recordings with known music: changing backgrounds, and regions of music of 16 to 40 s."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.training.config import SceneConfig
from detector.training.effects import in_room, set_level
from detector.training.pools import SoundPools
from detector.training.scenes import background, random_channel
from evaluation.detector.onsets import OnsetClass, onset_class
from nowplaying_core.audio import SAMPLE_RATE_HZ, rms_dbfs
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.mixing import band_rms

__all__ = ["ROOM_TONE_DBFS", "Part", "Region", "Stream", "compose_room_tone", "compose_stream", "stream_rng"]

ROOM_TONE_DBFS: Final = (-70, -50)
"""Levels of recorded noise alone, as a phone on a table in a quiet house records it."""

_FAINT: Final = 0.05
_CHANNEL: Final = SceneConfig(level_low_dbfs=-55.0, level_high_dbfs=-3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """Where music plays.

    Attributes
    ----------
    start_s, end_s : float
    snr_db : float
        Against its background.
    level_dbfs : float
        RMS of the stream there.
    behind : str
        Label of the background's part.
    onset_class : {"rhythmic", "sustained"}
    title : str
    source : str
        Where the recording comes from; empty where the corpus does not say.
    """

    start_s: float
    end_s: float
    snr_db: float
    level_dbfs: float
    behind: str
    onset_class: OnsetClass
    title: str
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One background of a stream.

    Attributes
    ----------
    start_s, end_s : float
    kind : str
        ``"noise"``, ``"speech"``, ``"speech in noise"``, ``"synthetic"`` or ``"quiet"``.
    label : str
        Class of a noise where the corpus has one, else the kind.
    files : tuple of str
        The recordings.
    sources : tuple of str
        Where they come from, each once; empty where the corpus does not say.
    """

    start_s: float
    end_s: float
    kind: str
    label: str
    files: tuple[str, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """Sound with known music.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,)
    regions : tuple of Region
        In order, apart from each other.
    parts : tuple of Part
        In order, without gaps.
    """

    samples: NDArray[np.float32]
    regions: tuple[Region, ...]
    parts: tuple[Part, ...]


def stream_rng(seed: int, number: int, *, room_tone: bool = False) -> np.random.Generator:
    """Return what draws a stream of an evaluation, so that all programs with its seed compose the same streams."""
    return np.random.default_rng([seed, 2 if room_tone else 1, number])


def compose_stream(pools: SoundPools, rng: np.random.Generator, *, duration_s: float = 600.0) -> Stream:
    """Return a stream of changing backgrounds with music regions at -5 to 25 dB.

    Parameters
    ----------
    pools : SoundPools
    rng : numpy.random.Generator
    duration_s : float
    """
    length = int(duration_s * SAMPLE_RATE_HZ)
    sound, parts = _backgrounds(pools, length, rng)
    if rng.random() < 0.5:
        sound = in_room(sound, pools.room(rng))
    drafts: list[dict[str, Any]] = []
    start_s = float(rng.uniform(10, 60))
    while start_s + 40 < duration_s - 10:
        end_s = start_s + float(rng.uniform(16, 40))
        rows = slice(int(start_s * SAMPLE_RATE_HZ), int(end_s * SAMPLE_RATE_HZ))
        music, file = pools.pick_music(rows.stop - rows.start, rng)
        in_place = in_room(music, pools.room(rng)) if rng.random() < 0.5 else music
        snr_db = float(rng.uniform(-5, 25))
        # The background runs on as loud as before; in a silent room music is as loud as over faint noise.
        level = max(band_rms(sound[rows]), _FAINT) * 10 ** (snr_db / 20)
        loudness = band_rms(in_place)
        if loudness > 0:  # else a recording's silence: no music
            sound[rows] += in_place * np.float32(level / loudness)
            drafts.append(
                {
                    "start_s": start_s,
                    "end_s": end_s,
                    "snr_db": snr_db,
                    "behind": next((one for one in parts if one.end_s > (start_s + end_s) / 2), parts[-1]).label,
                    "onset_class": onset_class(music),
                    "title": file.title,
                    "source": file.source,
                }
            )
        start_s = end_s + float(rng.uniform(30, 150))
    samples = random_channel(sound, _CHANNEL, rng)
    regions = tuple(Region(level_dbfs=_level(samples, draft["start_s"], draft["end_s"]), **draft) for draft in drafts)
    return Stream(samples, regions, parts)


def compose_room_tone(pools: SoundPools, rng: np.random.Generator, *, duration_s: float = 600.0) -> Stream:
    """Return recorded noise alone, at levels within `ROOM_TONE_DBFS`.

    Parameters
    ----------
    pools : SoundPools
    rng : numpy.random.Generator
    duration_s : float
    """
    length, position = int(duration_s * SAMPLE_RATE_HZ), 0
    sound, parts = np.zeros(length, dtype=np.float32), []
    while position < length:
        size = min(int(rng.uniform(30, 120) * SAMPLE_RATE_HZ), length - position)
        noise, file = pools.pick_noise(size, rng, looped=True)
        if rng.random() < 0.5:
            noise = in_room(noise, pools.room(rng))
        sound[position : position + size] = set_level(noise, float(rng.uniform(*ROOM_TONE_DBFS)))
        times = position / SAMPLE_RATE_HZ, (position + size) / SAMPLE_RATE_HZ
        parts.append(_part(*times, "noise", file.label, (file,)))
        position += size
    return Stream(sound, (), tuple(parts))


def _backgrounds(
    pools: SoundPools, length: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], tuple[Part, ...]]:
    sound, parts, position = np.zeros(length, dtype=np.float32), [], 0
    while position < length:
        size = min(int(rng.uniform(15, 60) * SAMPLE_RATE_HZ), length - position)
        sound_part = background(pools, size, rng)
        loud = np.float32(10 ** (rng.uniform(-12, 0) / 20)) if sound_part.kind != "quiet" else np.float32(1e-3)
        sound[position : position + size] = sound_part.samples * loud
        label = sound_part.files[0].label if sound_part.kind == "noise" else ""
        times = position / SAMPLE_RATE_HZ, (position + size) / SAMPLE_RATE_HZ
        parts.append(_part(*times, sound_part.kind, label, sound_part.files))
        position += size
    return sound, tuple(parts)


def _part(start_s: float, end_s: float, kind: str, label: str, files: Sequence[CorpusFile]) -> Part:
    return Part(
        start_s=start_s,
        end_s=end_s,
        kind=kind,
        label=label or kind,
        files=tuple(str(file.path) for file in files),
        sources=tuple(dict.fromkeys(file.source for file in files if file.source)),
    )


def _level(samples: NDArray[np.float32], start_s: float, end_s: float) -> float:
    return rms_dbfs(samples[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)])
