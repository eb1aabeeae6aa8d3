"""Effects on sound between its source and the microphone: rooms, band limits, codecs, level."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from nowplaying_core.audio import codec, mulaw
from nowplaying_core.audio.mixing import band_rms
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ, to_float32, to_int16

__all__ = [
    "at_unit_level",
    "band_limit",
    "excerpt",
    "in_room",
    "recoloured",
    "set_level",
    "stretched",
    "through_codec",
]

Samples = NDArray[np.float32]
_TINY: Final = 1e-9


def at_unit_level(samples: Samples) -> Samples:
    """Return the sound at a band RMS of 1; silence stays silence."""
    rms = band_rms(samples)
    return samples / np.float32(rms) if rms > 1e-7 else samples


def excerpt(samples: Samples, length: int, rng: np.random.Generator) -> Samples:
    """Return ``length`` samples from a random place, looped with short cross-fades where the recording is shorter."""
    if samples.size == 0:
        return np.zeros(length, dtype=np.float32)
    if samples.size > length:
        start = int(rng.integers(samples.size - length + 1))
        return samples[start : start + length].copy()
    fade = min(800, samples.size // 4)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    body = samples[: samples.size - fade].copy()
    body[:fade] = body[:fade] * ramp + samples[samples.size - fade :] * ramp[::-1]
    looped = np.tile(body, length // body.size + 2)
    start = int(rng.integers(body.size))
    return looped[start : start + length]


def stretched(samples: Samples, factor: float) -> Samples:
    """Return the sound played ``factor`` times as fast, pitch and all, by linear interpolation."""
    n_samples = int(samples.size / factor)
    played = np.interp(np.arange(n_samples) * factor, np.arange(samples.size), samples)
    return np.asarray(played, dtype=np.float32)


def in_room(samples: Samples, response: Samples) -> Samples:
    """Return the sound in a room, of the same length and loudness, starting at the direct sound."""
    start = int(np.argmax(np.abs(response)))
    reverberant = signal.oaconvolve(samples, response[start:])[: samples.size]
    gain = (np.sqrt(np.square(samples).mean()) + _TINY) / (np.sqrt(np.square(reverberant).mean()) + _TINY)
    return np.asarray(reverberant * gain, dtype=np.float32)


def recoloured(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the sound through a random smooth equalizer: gains of up to some 20 dB, about one knot an octave.

    A recording that sounds otherwise each time is harder to learn by heart.
    """
    if samples.size == 0:
        return samples
    length = fft.next_fast_len(samples.size, real=True)
    frequency_hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    knots = np.log2(np.array([60.0, 125, 250, 500, 1_000, 2_000, 4_000, 8_000]))
    gain_db = np.interp(np.log2(np.maximum(frequency_hz, 60.0)), knots, rng.normal(0, 6, knots.size))
    spectrum = fft.rfft(samples, length) * (10 ** (gain_db / 20)).astype(np.float32)
    return np.asarray(fft.irfft(spectrum, length)[: samples.size], dtype=np.float32)


def band_limit(samples: Samples, low_hz: float | None, high_hz: float | None) -> Samples:
    """Return the sound through a small speaker or a narrow channel.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    low_hz : float or None
        High-pass corner, second order.
    high_hz : float or None
        Low-pass corner, tenth order; nothing happens at 7900 Hz or above.
    """
    if low_hz is not None:
        section = signal.butter(2, low_hz, "highpass", output="sos", fs=SAMPLE_RATE_HZ)
        samples = np.asarray(signal.sosfilt(section, samples), dtype=np.float32)
    if high_hz is not None and high_hz < 7_900:
        section = signal.butter(10, high_hz, output="sos", fs=SAMPLE_RATE_HZ)
        samples = np.asarray(signal.sosfilt(section, samples), dtype=np.float32)
    return samples


def through_codec(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the sound through mu-law, MP3 or Vorbis at low quality, chosen at random."""
    kinds: tuple[Literal["mulaw", "mp3", "vorbis"], ...] = ("mulaw", "mp3", "vorbis")
    kind = kinds[int(rng.integers(len(kinds)))]
    peak = max(1.0, float(np.abs(samples).max(initial=0.0)))
    if kind == "mulaw":
        return to_float32(mulaw.decode(mulaw.encode(to_int16(samples / peak)))) * np.float32(peak)
    compression = float(rng.uniform(0.6, 0.99))
    return codec.through_codec(samples / peak, kind, compression) * np.float32(peak)


def set_level(samples: Samples, level_dbfs: float) -> Samples:
    """Return the sound at an RMS level in dB of full scale, clipped at full scale as a converter would."""
    rms = float(np.sqrt(np.square(samples, dtype=np.float64).mean())) if samples.size else 0.0
    if rms < _TINY:
        return samples
    return np.asarray(np.clip(samples * np.float32(10 ** (level_dbfs / 20) / rms), -1, 1))
