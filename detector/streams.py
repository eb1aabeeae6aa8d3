"""Long streams with known music regions: what a gate finds in them, how late, and what it takes for music."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.config import SceneConfig
from detector.effects import band_rms, in_room
from detector.gate import Gate, GateConfig
from detector.pools import SoundPools
from detector.scenes import background, colour
from detector.stream import Decision, StreamingDetector
from nowplaying.audio import SAMPLE_RATE_HZ
from nowplaying.runtime import TfliteModel

__all__ = [
    "GRACE_S",
    "Region",
    "Stream",
    "StreamTrack",
    "compose_stream",
    "false_triggers",
    "found_regions",
    "hear_stream",
    "triggers_of",
]

_FAINT: Final = 0.05
GRACE_S: Final = 8.0
"""A trigger this long after a region's end still comes from its music, which is in the windows that are averaged."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where music plays, in seconds, and how loud against its background."""

    start_s: float
    end_s: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Sound with known music.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,)
    regions : tuple of Region
        In order, apart from each other.
    quiet_s : float
        Time without music in which nothing but room tone sounds.
    """

    samples: NDArray[np.float32]
    regions: tuple[Region, ...]
    quiet_s: float


@dataclass(frozen=True, slots=True)
class StreamTrack:
    """What a detector made of a stream.

    Attributes
    ----------
    decisions : tuple of Decision
    regions : tuple of Region
    duration_s : float
    other_s : float
        Time with sound and without music: what false triggers are counted over.
    """

    decisions: tuple[Decision, ...]
    regions: tuple[Region, ...]
    duration_s: float
    other_s: float


def compose_stream(pools: SoundPools, rng: np.random.Generator, *, duration_s: float = 300.0) -> Stream:
    """Return a stream of changing backgrounds with music regions of 16 to 40 s at 0 to 20 dB.

    Parameters
    ----------
    pools : SoundPools
    rng : numpy.random.Generator
    duration_s : float
    """
    length = int(duration_s * SAMPLE_RATE_HZ)
    sound = np.zeros(length, dtype=np.float32)
    position, quiet = 0, np.zeros(length, dtype=bool)
    while position < length:
        size = min(int(rng.uniform(15, 60) * SAMPLE_RATE_HZ), length - position)
        part = background(pools, size, rng)
        loud = np.float32(10 ** (rng.uniform(-12, 0) / 20)) if part.kind != "quiet" else np.float32(1e-3)
        sound[position : position + size] = part.samples * loud
        quiet[position : position + size] = part.kind == "quiet"
        position += size
    if rng.random() < 0.5:
        sound = in_room(sound, pools.room(rng))
    regions = []
    start_s = float(rng.uniform(10, 60))
    while start_s + 16 < duration_s - GRACE_S:
        end_s = min(start_s + float(rng.uniform(16, 40)), duration_s - GRACE_S)
        snr_db = float(rng.uniform(0, 20))
        rows = slice(int(start_s * SAMPLE_RATE_HZ), int(end_s * SAMPLE_RATE_HZ))
        music, _ = pools.pick_music(rows.stop - rows.start, rng)
        if rng.random() < 0.5:
            music = in_room(music, pools.room(rng))
        # The background runs on as loud as before; in a silent room music is as loud as over faint noise.
        level = max(band_rms(sound[rows]), _FAINT) * 10 ** (snr_db / 20)
        sound[rows] += music * np.float32(level / max(band_rms(music), 1e-6))
        quiet[rows] = False
        regions.append(Region(start_s, end_s, snr_db))
        start_s = end_s + float(rng.uniform(20, 90))
    return Stream(colour(sound, SceneConfig(), rng), tuple(regions), float(quiet.sum()) / SAMPLE_RATE_HZ)


def hear_stream(stream: Stream, model: TfliteModel) -> StreamTrack:
    """Return a detector's decisions over a whole stream, from a reset."""
    duration_s = stream.samples.size / SAMPLE_RATE_HZ
    music_s = sum(region.end_s - region.start_s for region in stream.regions)
    decisions = tuple(StreamingDetector(model).process(stream.samples))
    return StreamTrack(decisions, stream.regions, duration_s, duration_s - music_s - stream.quiet_s)


def triggers_of(track: StreamTrack, config: GateConfig) -> list[float]:
    """Return when a gate enters music, in seconds; the cool-down, which would hide false triggers, plays no part."""
    gate = Gate(config)
    events = [gate.step(decision.time_s, decision.probability) for decision in track.decisions]
    return [event.time_s for event in events if event.entered]


def found_regions(regions: Sequence[Region], triggers_s: Sequence[float]) -> dict[int, float]:
    """Return the regions in which music was entered, by number, and the delay from their start in seconds."""
    found = {}
    for number, region in enumerate(regions):
        inside = [time_s for time_s in triggers_s if region.start_s < time_s <= region.end_s]
        if inside:
            found[number] = inside[0] - region.start_s
    return found


def false_triggers(regions: Sequence[Region], triggers_s: Sequence[float]) -> list[float]:
    """Return the triggers outside every region and its grace."""
    return [
        time_s
        for time_s in triggers_s
        if not any(region.start_s < time_s <= region.end_s + GRACE_S for region in regions)
    ]
