"""Clips for evaluation: windows of music in noise or speech, and of noise and speech alone, with their history."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import features_of
from detector.network import WINDOW_FRAMES, WINDOW_S
from detector.training.config import SceneConfig
from detector.training.effects import band_limit, in_room
from detector.training.pools import SoundPools
from detector.training.scenes import background, random_channel
from nowplaying_core.audio import SAMPLE_RATE_HZ, to_int16
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.mixing import band_rms

__all__ = [
    "CONDITIONS",
    "WINDOW_SAMPLES",
    "Clip",
    "ClipSounds",
    "clip_rng",
    "clip_sounds",
    "compose_clip",
    "windows_of",
]

CONDITIONS: Final = ("full band", "random channel", "low-passed 3.5 kHz")
WINDOW_SAMPLES: Final = round(WINDOW_S * SAMPLE_RATE_HZ)
_PREROLL_S: Final = 6.0
_LOW_PASS_HZ: Final = 3_500.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """One trial.

    Attributes
    ----------
    is_music : bool
    kind : str
        Kind of the background, or of the sound without music.
    snr_db : float or None
    file : CorpusFile
        The music, or the most prominent other recording.
    windows : dict of str to ndarray of int8, shape (446, 40)
        Features of the same sound by condition, each after 6 s of the same scene, and ``"cold"``: through the random
        channel, right after a reset.
    """

    is_music: bool
    kind: str
    snr_db: float | None
    file: CorpusFile
    windows: dict[str, NDArray[np.int8]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSounds:
    """One trial before any front end.

    Attributes
    ----------
    is_music : bool
    kind : str
    snr_db : float or None
    file : CorpusFile
        As of :class:`Clip`.
    sounds : dict of str to ndarray of float32, shape (n,), 16 kHz
        The whole scene by condition, without ``"cold"``; a trial is its last window.
    music : ndarray of float32, shape (n,), or None
        The music alone.
    """

    is_music: bool
    kind: str
    snr_db: float | None
    file: CorpusFile
    sounds: dict[str, NDArray[np.float32]]
    music: NDArray[np.float32] | None


def clip_rng(seed: int, number: int) -> np.random.Generator:
    """Return what draws a clip of an evaluation; with ``is_music`` for even numbers all programs get the same clips."""
    return np.random.default_rng([seed, 0, number])


def compose_clip(
    pools: SoundPools, rng: np.random.Generator, *, is_music: bool, snr_low_db: float = 0.0, snr_high_db: float = 20.0
) -> Clip:
    """Return the features of :func:`clip_sounds`."""
    one = clip_sounds(pools, rng, is_music=is_music, snr_low_db=snr_low_db, snr_high_db=snr_high_db)
    windows = {name: windows_of(samples) for name, samples in one.sounds.items()}
    windows["cold"] = windows_of(one.sounds["random channel"][-WINDOW_SAMPLES:])
    return Clip(is_music=one.is_music, kind=one.kind, snr_db=one.snr_db, file=one.file, windows=windows)


def clip_sounds(
    pools: SoundPools, rng: np.random.Generator, *, is_music: bool, snr_low_db: float = 0.0, snr_high_db: float = 20.0
) -> ClipSounds:
    """Return a random clip; both classes pass the same rooms, codecs, band limits and levels.

    Parameters
    ----------
    pools : SoundPools
        Of a split that training never saw.
    rng : numpy.random.Generator
    is_music : bool
    snr_low_db, snr_high_db : float
        Music against its background, RMS from 100 to 7000 Hz over the window.
    """
    length = int(_PREROLL_S * SAMPLE_RATE_HZ) + WINDOW_SAMPLES
    other = background(pools, length, rng)
    while other.kind in ("quiet", "synthetic"):
        other = background(pools, length, rng)
    sound, file, snr_db, music = other.samples, other.files[0], None, None
    if rng.random() < 0.5:
        sound = in_room(sound, pools.room(rng))
    if is_music:
        music, file = _audible_music(pools, length, rng)
        snr_db = float(rng.uniform(snr_low_db, snr_high_db))
        # Measured over the window itself, because a pause in the talking before it does not count.
        behind = max(band_rms(sound[-WINDOW_SAMPLES:]), 0.1 * band_rms(sound))
        sound = music + sound * np.float32(band_rms(music[-WINDOW_SAMPLES:]) / behind * 10 ** (-snr_db / 20))
    seed = int(rng.integers(2**31))
    # The same draw of codec and level for every condition, so that they differ by the band limit alone.
    wide, free = SceneConfig(band_limit_share=0.0), SceneConfig()
    sounds = {
        "full band": random_channel(sound, wide, np.random.default_rng(seed)),
        "random channel": random_channel(sound, free, np.random.default_rng(seed)),
        "low-passed 3.5 kHz": random_channel(band_limit(sound, None, _LOW_PASS_HZ), wide, np.random.default_rng(seed)),
    }
    return ClipSounds(is_music=is_music, kind=other.kind, snr_db=snr_db, file=file, sounds=sounds, music=music)


def _audible_music(pools: SoundPools, length: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], CorpusFile]:
    """Draw music, perhaps in a room, that is not silent in the window: no more than 20 dB below the whole excerpt."""
    while True:
        music, file = pools.pick_music(length, rng)
        if rng.random() < 0.5:
            music = in_room(music, pools.room(rng))
        if band_rms(music[-WINDOW_SAMPLES:]) > 0.1 * band_rms(music) > 0:
            return music, file


def windows_of(samples: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return the features of a sound's last window, after all that comes before it."""
    return features_of(to_int16(samples))[-WINDOW_FRAMES:]
