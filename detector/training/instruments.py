"""Synthetic and transformed music that resembles noise: drones, drums, voices, washes, a distant bass."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ

__all__ = ["drone", "synthetic_music", "transformed_music"]

Samples = NDArray[np.float32]
Times = NDArray[np.float64]
_SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10))
_VOWELS_HZ: Final = (
    (730, 1_090, 2_440),
    (270, 2_290, 3_010),
    (300, 870, 2_240),
    (530, 1_840, 2_480),
    (570, 840, 2_410),
)
"""First three formants of ah, ee, oo, eh and aw, men's averages of Peterson and Barney, JASA 24, 1952."""


def synthetic_music(length: int, rng: np.random.Generator) -> Samples:
    """Return a drone, a drum pattern or singing voices, as float32 at no particular level.

    Parameters
    ----------
    length : int
        Samples at 16 kHz.
    rng : numpy.random.Generator
    """
    kinds: tuple[Callable[[Times, np.random.Generator], Times], ...] = (drone, _drums, _voices)
    make = kinds[int(rng.integers(len(kinds)))]
    return np.asarray(make(np.arange(length) / SAMPLE_RATE_HZ, rng), dtype=np.float32)


def transformed_music(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return a recording as an ambient wash, a distant bass, its drums alone, or everything but the drums.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), 16 kHz
    rng : numpy.random.Generator
    """
    kinds: tuple[Callable[[Samples, np.random.Generator], Samples], ...] = (
        _wash,
        _distant_bass,
        _percussion_or_harmony,
    )
    return kinds[int(rng.integers(len(kinds)))](samples, rng)


def _wash(samples: Samples, rng: np.random.Generator) -> Samples:
    """Smear over seconds to a slowly changing chord."""
    t60_s = float(rng.uniform(2.0, 8.0))
    time_s = np.arange(int(t60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(time_s.size) * 10 ** (-3 * time_s / t60_s)
    # No attack: the smear itself sets in softly.
    tail *= np.minimum(1, time_s / rng.uniform(0.05, 0.5))
    return np.asarray(signal.oaconvolve(samples, tail)[: samples.size], dtype=np.float32)


def _distant_bass(samples: Samples, rng: np.random.Generator) -> Samples:
    """Low-pass as a wall does."""
    corner_hz = float(np.exp(rng.uniform(np.log(150), np.log(700))))
    section = signal.butter(int(rng.integers(1, 4)), corner_hz, output="sos", fs=SAMPLE_RATE_HZ)
    return np.asarray(signal.sosfilt(section, samples), dtype=np.float32)


def _percussion_or_harmony(samples: Samples, rng: np.random.Generator) -> Samples:
    """Separate percussion from harmony by medians along frequency and time (Fitzgerald, DAFx 2010)."""
    from scipy.ndimage import median_filter

    _, _, spectrum = signal.stft(samples, SAMPLE_RATE_HZ, nperseg=1_024, noverlap=512)
    size = np.abs(spectrum).astype(np.float32)
    harmonic, percussive = median_filter(size, (1, 17)) ** 2, median_filter(size, (17, 1)) ** 2
    kept = percussive if rng.random() < 0.6 else harmonic
    _, kept_sound = signal.istft(
        spectrum * kept / (percussive + harmonic + 1e-12), SAMPLE_RATE_HZ, nperseg=1_024, noverlap=512
    )
    return np.asarray(kept_sound[: samples.size], dtype=np.float32) if kept_sound.size >= samples.size else samples


def drone(time_s: Times, rng: np.random.Generator) -> Times:
    """Make a chord of slowly beating partials that changes, if at all, after many seconds.

    Parameters
    ----------
    time_s : ndarray of float64, shape (n,), seconds
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (n,)
        At no particular level.
    """
    out = np.zeros_like(time_s)
    base_hz = float(np.exp(rng.uniform(np.log(45), np.log(260))))
    steps = rng.choice([0, 7, 12, 16, 19, 24, 3, 4], size=int(rng.integers(2, 5)), replace=False)
    tilt = float(rng.uniform(0.6, 2.2))
    for step in steps:
        note_hz = base_hz * 2 ** (step / 12)
        slow = 1 + 0.5 * np.sin(2 * np.pi * (time_s / rng.uniform(4, 20) + rng.random()))
        for voice in rng.normal(0, 0.003, 2):
            for number in range(1, int(rng.integers(4, 16))):
                partial_hz = note_hz * number * (1 + voice)
                if partial_hz < 7_500:
                    out += slow * number**-tilt * np.sin(2 * np.pi * (partial_hz * time_s + rng.random()))
    return out


def _drums(time_s: Times, rng: np.random.Generator) -> Times:
    """Make a pattern of kick, snare and hat on a grid of sixteenths, repeated with small changes."""
    out = np.zeros(time_s.size + 2 * SAMPLE_RATE_HZ)
    step_s = 60 / float(rng.uniform(70, 170)) / 4
    n_steps = int(rng.choice([12, 16, 16, 16, 32]))
    sounds = (
        (_hit(rng, tone_hz=float(rng.uniform(45, 80)), noise=0.05, decay_s=0.15), 0.28, (0, 8)),
        (_hit(rng, tone_hz=float(rng.uniform(150, 250)), noise=1.0, decay_s=0.12), 0.12, (4, 12)),
        (_hit(rng, tone_hz=0.0, noise=1.0, decay_s=float(rng.uniform(0.02, 0.15))), 0.5, tuple(range(0, 32, 2))),
        (_hit(rng, tone_hz=float(rng.uniform(80, 400)), noise=0.2, decay_s=0.2), 0.1, ()),
    )
    swing = float(rng.uniform(0, 0.3)) if rng.random() < 0.3 else 0.0
    for sound, density, beats in sounds:
        level = float(rng.uniform(0.2, 1.0))
        plays = [number in beats or rng.random() < density * 0.5 for number in range(n_steps)]
        for position in range(int(time_s.size / SAMPLE_RATE_HZ / step_s) + 1):
            if plays[position % n_steps] and rng.random() < 0.97:
                moment_s = (position + swing * (position % 2)) * step_s + 0.004 * rng.standard_normal()
                first = max(0, int(moment_s * SAMPLE_RATE_HZ))
                part = sound[: out.size - first]
                out[first : first + part.size] += part * level * rng.uniform(0.7, 1.0)
    return out[: time_s.size]


def _hit(rng: np.random.Generator, *, tone_hz: float, noise: float, decay_s: float) -> Times:
    time_s = np.arange(int(5 * decay_s * SAMPLE_RATE_HZ) + 1) / SAMPLE_RATE_HZ
    glide = 1 + rng.uniform(0.5, 2) * np.exp(-time_s / 0.02)
    tone = np.sin(2 * np.pi * np.cumsum(tone_hz * glide) / SAMPLE_RATE_HZ) if tone_hz else np.zeros_like(time_s)
    crackle = signal.lfilter([1, -0.95], [1], rng.standard_normal(time_s.size))
    return np.asarray((tone + noise * crackle) * np.exp(-time_s / decay_s))


def _voices(time_s: Times, rng: np.random.Generator) -> Times:
    """Make one to four voices that sing steps of one scale, in vowels, with vibrato: speech lacks steady pitch."""
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    base_hz = float(np.exp(rng.uniform(np.log(90), np.log(330))))
    total = np.zeros_like(time_s)
    changes = np.cumsum(rng.gamma(3.0, rng.uniform(0.1, 0.5), int(3 * time_s[-1]) + 4))
    place = np.searchsorted(changes, time_s)
    degrees = np.clip(np.cumsum(rng.integers(-2, 3, changes.size + 1)) + len(scale) // 2, 0, 2 * len(scale) - 1)
    smooth = np.exp(-np.arange(800) / 200)
    for interval in rng.choice([0, 2, 4, 7], size=int(rng.integers(1, 5)), replace=False):
        octaves, places = np.divmod(degrees + interval, len(scale))
        steps = np.array(scale)[places] + 12 * octaves
        pitch = signal.oaconvolve(np.pad(steps[place].astype(np.float64), (799, 0), mode="edge"), smooth / smooth.sum())
        vibrato = rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time_s + rng.uniform(0, 6))
        pitch_hz = base_hz * 2 ** ((pitch[799 : 799 + time_s.size] + vibrato) / 12)
        cycles = np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
        voice = signal.sawtooth(2 * np.pi * cycles) + 0.05 * rng.standard_normal(time_s.size)
        sung = np.zeros_like(voice)
        for formant_hz, weight in zip(_VOWELS_HZ[int(rng.integers(len(_VOWELS_HZ)))], (1.0, 0.5, 0.25), strict=True):
            sung += weight * signal.lfilter(*signal.iirpeak(formant_hz, 6.0, fs=SAMPLE_RATE_HZ), voice)
        total += sung * (0.3 + 0.7 * np.abs(np.sin(np.pi * np.cumsum(np.diff(place, prepend=0) > 0) * 0.37 + 0.6)))
    return total
