"""Compose streams with and without music out of separate recordings, for training and for evaluation alike."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.training.config import SceneConfig
from detector.training.effects import (
    at_unit_level,
    band_limit,
    excerpt,
    in_room,
    recoloured,
    set_level,
    stretched,
    through_codec,
)
from detector.training.instruments import synthetic_music, transformed_music
from detector.training.pools import SoundPools
from detector.training.synthetic import synthetic_sound
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.audio.mixing import band_rms, snr_gain

__all__ = ["Background", "Scene", "background", "compose_scene", "mix_at_snr", "random_channel"]

Samples = NDArray[np.float32]
_SILENCE_DB: Final = -40.0
_MASKED_DB: Final = -12.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed stream.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,), 16 kHz
    music : ndarray of uint8, shape (n_blocks,)
        For every 10 ms from the start: 0 no music, 1 audible music, 2 music that is masked or silent.
    kind : str
        ``"music"``, ``"noise"``, ``"speech"``, ``"speech in noise"``, ``"quiet"`` or ``"synthetic"``.
    snr_db : float or None
        Music against background; None without music.
    doubtful_background, doubtful_music : ndarray of float32, shape (n,), or None
        The background and the music apart, before any room or channel: what a teacher judges. None where there is none,
        and where its label is certain: synthetic sounds, and recordings of a class that the corpus names.
    """

    samples: Samples
    music: NDArray[np.uint8]
    kind: str
    snr_db: float | None
    doubtful_background: Samples | None = None
    doubtful_music: Samples | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """Sound without music, at unit RMS between 100 and 7000 Hz.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,)
    kind : str
        ``"noise"``, ``"speech"``, ``"speech in noise"``, ``"quiet"`` or ``"synthetic"``.
    files : tuple of CorpusFile
        The recordings in it, the most prominent first.
    """

    samples: Samples
    kind: str
    files: tuple[CorpusFile, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether it certainly holds no music: made here, or of a class that the corpus names."""
        return self.kind in ("quiet", "synthetic") or any(file.label for file in self.files)


def compose_scene(pools: SoundPools, config: SceneConfig, rng: np.random.Generator) -> Scene:
    """Return a random training stream.

    Music scenes have music for the whole time or in one interval, over noise, speech, both or a quiet room. Rooms,
    band limits, codecs and levels are drawn in the same way for scenes with and without music.
    """
    length = int(config.duration_s * SAMPLE_RATE_HZ)
    n_blocks = length // (SAMPLE_RATE_HZ // 100)
    without_music = background(pools, length, rng, varied_share=config.varied_share)
    samples, kind = without_music.samples, without_music.kind
    if rng.random() < config.room_share:
        samples = in_room(samples, pools.room(rng))
    audible = np.zeros(n_blocks, dtype=np.uint8)
    snr_db, doubtful_music = None, None
    if rng.random() < config.music_share:
        dry, is_certain = _music(pools, config, length, rng)
        music = dry
        if rng.random() < config.room_share:
            music = in_room(music, pools.room(rng))
        envelope = _interval(length, rng)
        music = music * envelope
        doubtful_music = None if is_certain else dry * envelope
        # In a quiet room the background is far below the music: music alone.
        snr_db = float(rng.uniform(config.snr_low_db, config.snr_high_db)) + (25.0 if kind == "quiet" else 0.0)
        mixed = mix_at_snr(music, samples, snr_db)
        audible = _audibility(music, mixed - music, envelope > 0, n_blocks)
        samples, kind = mixed, "music"
    doubtful = None if without_music.is_certain else without_music.samples
    return Scene(random_channel(samples, config, rng), audible, kind, snr_db, doubtful, doubtful_music)


def _music(pools: SoundPools, config: SceneConfig, length: int, rng: np.random.Generator) -> tuple[Samples, bool]:
    """Return music at unit level, and whether it is certain to be music."""
    if config.synthetic_share and rng.random() < config.synthetic_share:
        return at_unit_level(synthetic_music(length, rng)), True
    is_rendered = bool(pools.rendered_midi) and rng.random() < config.midi_share
    music, _ = (pools.pick_rendering if is_rendered else pools.pick_music)(length, rng)
    if config.transformed_share and rng.random() < config.transformed_share:
        music = at_unit_level(transformed_music(music, rng))
    if config.varied_share and rng.random() < config.varied_share:
        music = at_unit_level(recoloured(music, rng))
    return music, False


def background(pools: SoundPools, length: int, rng: np.random.Generator, *, varied_share: float = 0.0) -> Background:
    """Return a random background: room tone, a synthetic sound, noise, speech, or speech in noise."""
    plain = _plain_background(pools, length, rng, varied_share)
    if not varied_share or plain.kind == "quiet" or rng.random() >= varied_share:
        return plain
    return replace(plain, samples=at_unit_level(recoloured(plain.samples, rng)))


def _plain_background(pools: SoundPools, length: int, rng: np.random.Generator, varied_share: float) -> Background:
    draw = rng.random()
    files: tuple[CorpusFile, ...] = ()
    if draw < 0.06:
        # Room tone: a trace of noise over the converter's own.
        return Background(at_unit_level(rng.standard_normal(length).astype(np.float32)), "quiet")
    if draw < 0.18:
        if pools.stretched_share and rng.random() < pools.stretched_share / 2:
            # Voices played too fast or too slow resemble crying, crowing and squealing.
            factor = float(rng.choice([rng.uniform(0.5, 0.75), rng.uniform(1.4, 2.4)]))
            talking, files = _conversation(pools, int(length * factor) + 2, rng)
            made = at_unit_level(stretched(talking, factor)[:length])
        else:
            made = at_unit_level(synthetic_sound(length, rng))
        if rng.random() < 0.5:
            made, others = _over(made, pools, -5, 25, rng)
            files += others
        return Background(made, "synthetic", files)
    if draw < 0.52:
        noise, file = pools.pick_noise(length, rng, looped=rng.random() < 0.3)
        files = (file,)
        if varied_share and rng.random() < varied_share:
            noise, others = _varied(noise, pools, rng)
            files += others
        elif rng.random() < 0.3:
            noise, others = _over(noise, pools, -10, 10, rng)
            files += others
        return Background(noise, "noise", files)
    speech, voices = _conversation(pools, length, rng)
    if draw < 0.78:
        return Background(speech, "speech", voices)
    mixed, others = _over(speech, pools, -5, 25, rng)
    return Background(mixed, "speech in noise", (*voices, *others))


def _over(
    sound: Samples, pools: SoundPools, low_db: float, high_db: float, rng: np.random.Generator
) -> tuple[Samples, tuple[CorpusFile, ...]]:
    """Mix noise into a sound, at a random level."""
    noise, file = pools.pick_noise(sound.size, rng, looped=True)
    return at_unit_level(mix_at_snr(sound, noise, float(rng.uniform(low_db, high_db)))), (file,)


def _varied(noise: Samples, pools: SoundPools, rng: np.random.Generator) -> tuple[Samples, tuple[CorpusFile, ...]]:
    """Return a noise at another speed or backwards, and more often than not over one or two others."""
    if rng.random() < 0.3:
        noise = noise[::-1].copy()
    if rng.random() < 0.4:
        noise = excerpt(stretched(noise, float(np.exp(rng.uniform(-0.7, 0.7)))), noise.size, rng)
    files: tuple[CorpusFile, ...] = ()
    for _ in range(int(rng.integers(3))):
        noise, others = _over(recoloured(noise, rng), pools, -10, 10, rng)
        files += others
    return noise, files


def random_channel(samples: Samples, config: SceneConfig, rng: np.random.Generator) -> Samples:
    """Return the stream through a random channel, the same for all classes: codec, band limit, level, converter."""
    if rng.random() < config.codec_share:
        samples = through_codec(set_level(samples, -20.0), rng)
    if rng.random() < config.band_limit_share:
        low_hz = float(np.exp(rng.uniform(np.log(20), np.log(300)))) if rng.random() < 0.7 else None
        high_hz = float(rng.uniform(3_000, 8_000)) if rng.random() < 0.8 else None
        samples = band_limit(samples, low_hz, high_hz)
    samples = set_level(samples, float(rng.uniform(config.level_low_dbfs, config.level_high_dbfs)))
    own_noise = rng.standard_normal(samples.size).astype(np.float32)
    return np.clip(samples + own_noise * np.float32(10 ** (rng.uniform(-90, -66) / 20)), -1, 1)


def mix_at_snr(signal: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return signal plus noise, the noise scaled so that their band RMS differ by ``snr_db`` over the whole length."""
    noise_rms = band_rms(noise)
    if noise_rms <= 0:
        return signal
    # Where the signal is present for a part of the time only, its level is that of the part.
    active = signal[np.abs(signal) > 0]
    return signal + snr_gain(band_rms(active if active.size else signal), noise_rms, snr_db) * noise


def _conversation(pools: SoundPools, length: int, rng: np.random.Generator) -> tuple[Samples, tuple[CorpusFile, ...]]:
    """Return several recordings after each other with pauses, sometimes over another voice."""
    files: list[CorpusFile] = []

    def voice() -> Samples:
        parts: list[Samples] = []
        total = 0
        while total < length:
            files.append(pools.pick_speaker(rng))
            samples = pools.read(files[-1].path)
            part = excerpt(samples, min(samples.size, length), rng)
            pause = np.zeros(int(rng.uniform(0, 1.5) * SAMPLE_RATE_HZ), dtype=np.float32)
            parts += [at_unit_level(part), pause]
            total += part.size + pause.size
        return np.concatenate(parts)[:length]

    first = voice()
    if rng.random() < 0.2:
        first = first + voice() * np.float32(10 ** (rng.uniform(-15, 0) / 20))
    return at_unit_level(first), tuple(files)


def _interval(length: int, rng: np.random.Generator) -> Samples:
    """Return music's envelope: half of the time all ones, else from or until a random moment, with a short fade."""
    envelope = np.ones(length, dtype=np.float32)
    draw = rng.random()
    if draw < 0.5:
        return envelope
    moment = int(rng.uniform(0.2, 0.8) * length)
    if draw < 0.75:
        envelope[:moment] = 0
    else:
        envelope[moment:] = 0
    fade = int(rng.uniform(0.01, 0.5) * SAMPLE_RATE_HZ)
    kernel_ones = np.cumsum(envelope, dtype=np.float64)
    smooth = envelope.copy()
    smooth[fade:] = (kernel_ones[fade:] - kernel_ones[:-fade]) / fade
    return smooth


def _audibility(music: Samples, behind: Samples, plays: NDArray[np.bool_], n_blocks: int) -> NDArray[np.uint8]:
    """Mark the 10 ms blocks with music: 1 where it is audible over the background, else 2."""

    def power(samples: Samples) -> NDArray[np.float64]:
        blocks = np.square(samples[: n_blocks * block]).reshape(n_blocks, block).mean(axis=1)
        # Over half a second, because music does not end between two beats, nor speech between two syllables.
        return np.asarray(np.convolve(blocks, np.full(51, 1 / 51), mode="same"), dtype=np.float64)

    block = SAMPLE_RATE_HZ // 100
    own, other = power(music), power(behind)
    level = float(own[own > 0].mean()) if own.any() else 1.0
    audible = (own > level * 10 ** (_SILENCE_DB / 10)) & (own > other * 10 ** (_MASKED_DB / 10))
    playing = plays[: n_blocks * block : block]
    return np.where(playing, np.where(audible, 1, 2), 0).astype(np.uint8)
