"""Scenes: scripts that put recordings on a time line at stated levels, the same for the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_between, require_not_negative, require_positive
from simulator.phone.conditions import Condition
from simulator.scenes.acoustics import band_level_dbfs, excerpt, fade, from_another_room

__all__ = ["Scene", "Sound", "SoundKind", "compose"]

Samples = NDArray[np.float32]
_FADE_S = 0.3
_ROOM_TONE_DBFS = -70.0


class SoundKind(StrEnum):
    """Kind of a sound."""

    MUSIC = "music"
    SPEECH = "speech"
    NOISE = "noise"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """One recording in a scene.

    Attributes
    ----------
    recording : str
        Name among the recordings given to `compose`.
    kind : SoundKind
    label : str
        For people: "music from another room".
    start_s, duration_s : float, seconds
    offset_s : float >= 0, seconds
        Place in the recording at which it begins; a recording that ends begins again.
    level_dbfs : float <= 0
        Level between 100 and 7000 Hz, unless ``snr_db`` is given.
    snr_db : float or None
        Level above all sounds listed before it that sound at the same time (RMS, 100-7000 Hz).
    other_room_cutoff_hz : float or None
        The sound comes through a door that passes the frequencies below, with the other room's echo.
    """

    recording: str
    kind: SoundKind
    label: str
    start_s: float
    duration_s: float
    offset_s: float = 0.0
    level_dbfs: float = -26.0
    snr_db: float | None = None
    other_room_cutoff_hz: float | None = None

    def __post_init__(self) -> None:
        table = f"sound {self.recording!r}"
        require_not_negative(self, "start_s", "offset_s", table=table)
        require_positive(self, "duration_s", table=table)
        require_between(self, float("-inf"), 0.0, "level_dbfs", table=table)

    @property
    def end_s(self) -> float:
        """End in the scene, in seconds."""
        return self.start_s + self.duration_s

    @property
    def title(self) -> str:
        """Its label, with the recording's name for music."""
        return f"{self.label}: {self.recording}" if self.kind is SoundKind.MUSIC else self.label


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A script.

    Attributes
    ----------
    name, title : str
    duration_s : float > 0, seconds
    sounds : sequence of Sound
        Those with ``snr_db`` after the noise they refer to.
    conditions : sequence of Condition
        When the phone may not listen.
    """

    name: str
    title: str
    duration_s: float
    sounds: Sequence[Sound]
    conditions: Sequence[Condition] = ()

    def __post_init__(self) -> None:
        for sound in self.sounds:
            if sound.end_s > self.duration_s:
                message = f"scene {self.name!r}: {sound.recording!r} ends at {sound.end_s} s, after the scene"
                raise ConfigError(message)


def compose(scene: Scene, recordings: Mapping[str, Samples], rng: np.random.Generator) -> Samples:
    """Mix a scene.

    Parameters
    ----------
    scene : Scene
    recordings : mapping of str to ndarray of float32, shape (n,)
        Mono at 16 kHz.
    rng : numpy.random.Generator
        For room tone and rooms; the same seed gives the same samples.

    Returns
    -------
    ndarray of float32, shape (n,), in [-1, 1], mono at 16 kHz

    Raises
    ------
    ConfigError
        When a recording is missing or silent.
    """
    n_samples = round(scene.duration_s * SAMPLE_RATE_HZ)
    mix = (10.0 ** (_ROOM_TONE_DBFS / 20.0) * rng.standard_normal(n_samples)).astype(np.float32)
    for sound in scene.sounds:
        if sound.recording not in recordings:
            found = sorted(recordings)
            message = f"scene {scene.name!r}: expected a recording {sound.recording!r}, found {found}"
            raise ConfigError(message)
        part = excerpt(recordings[sound.recording], sound.offset_s, sound.duration_s)
        if sound.other_room_cutoff_hz is not None:
            part = from_another_room(part, rng, cutoff_hz=sound.other_room_cutoff_hz)
        first = round(sound.start_s * SAMPLE_RATE_HZ)
        # Rounding a start and a duration may overshoot the end of the scene by one sample.
        part = part[: n_samples - first]
        place = slice(first, first + len(part))
        part_level_dbfs = band_level_dbfs(part)
        if part_level_dbfs <= -119:
            message = f"scene {scene.name!r}: {sound.recording!r} is silent from {sound.offset_s} s on"
            raise ConfigError(message)
        level_dbfs = sound.level_dbfs
        if sound.snr_db is not None:
            level_dbfs = band_level_dbfs(mix[place]) + sound.snr_db
        gain = np.float32(10.0 ** ((level_dbfs - part_level_dbfs) / 20.0))
        mix[place] += fade(part * gain, _FADE_S)
    clipped: Samples = np.clip(mix, -1.0, 1.0)
    return clipped
