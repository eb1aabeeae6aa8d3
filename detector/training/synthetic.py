"""Synthetic sounds that are tonal or rhythmic but not music, for more variety than the recordings have."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ

__all__ = ["synthetic_sound"]

Samples = NDArray[np.float32]
Times = NDArray[np.float64]


def synthetic_sound(length: int, rng: np.random.Generator) -> Samples:
    """Return a random sound that a detector must not take for music.

    Beeps, sirens, mains hum, gliding calls as of animals and crying children, engines, knocks and clicks, applause, or
    noise of a random spectrum that comes and goes, as wind and water do.

    Parameters
    ----------
    length : int
        Samples at 16 kHz.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (length,)
        At no particular level.
    """
    weights = np.array([weight for _, weight in _KINDS])
    make = _KINDS[int(rng.choice(len(_KINDS), p=weights / weights.sum()))][0]
    return np.asarray(make(np.arange(length) / SAMPLE_RATE_HZ, rng), dtype=np.float32)


def _beeps(time_s: Times, rng: np.random.Generator) -> Times:
    tone_hz = _log_uniform(500, 4_000, rng)
    period_s, duty = float(rng.uniform(0.15, 2.5)), float(rng.uniform(0.15, 0.7))
    gate = (time_s % period_s < duty * period_s).astype(np.float64)
    smooth = signal.lfilter([0.02], [1, -0.98], gate)
    return np.asarray(smooth * _harmonics(tone_hz * time_s, rng.uniform(0, 1, 3) / np.arange(1, 4)))


def _siren(time_s: Times, rng: np.random.Generator) -> Times:
    sweep = np.sin(2 * np.pi * time_s / rng.uniform(0.3, 6))
    cycles = np.cumsum(_log_uniform(500, 3_000, rng) * (1 + rng.uniform(0.1, 0.4) * sweep)) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * cycles)


def _hum(time_s: Times, rng: np.random.Generator) -> Times:
    base_hz = float(rng.choice([50.0, 60.0])) * (1 + 0.002 * rng.standard_normal())
    return _harmonics(base_hz * time_s, rng.uniform(0.05, 1, 12) / np.arange(1, 13))


def _calls(time_s: Times, rng: np.random.Generator) -> Times:
    """Make calls whose pitch glides and wobbles: crying, crowing, barking, birds; never a steady note."""
    out = np.zeros_like(time_s)
    base_hz = _log_uniform(250, 4_000, rng)
    weights = rng.uniform(0.1, 1, 8) * np.arange(1, 9) ** -rng.uniform(0.3, 2)
    longest_s = float(rng.uniform(0.1, 1.5))
    start_s = float(rng.uniform(0, 2))
    while start_s < time_s[-1]:
        length = int(rng.uniform(0.3, 1) * longest_s * SAMPLE_RATE_HZ) + 400
        first = int(start_s * SAMPLE_RATE_HZ)
        shape = np.linspace(0, 1, length)
        bend = rng.normal(0, 0.25) * shape + rng.normal(0, 0.35) * np.sin(np.pi * shape)
        wobble = rng.uniform(0, 0.05) * np.sin(2 * np.pi * rng.uniform(4, 30) * shape * length / SAMPLE_RATE_HZ)
        pitch_hz = base_hz * np.exp(rng.normal(0, 0.15) + bend + wobble)
        call = _harmonics(np.cumsum(pitch_hz) / SAMPLE_RATE_HZ, weights, pitch_hz.max())
        call = (call + rng.uniform(0, 0.4) * rng.standard_normal(length)) * np.sin(np.pi * shape) ** 0.5
        part = call[: out.size - first]
        out[first : first + part.size] += part * rng.uniform(0.3, 1)
        start_s += length / SAMPLE_RATE_HZ + float(rng.exponential(0.6))
    return out


def _engine(time_s: Times, rng: np.random.Generator) -> Times:
    """Make a motor: a buzz of many harmonics whose speed drifts, beaten by its own strokes, with noise."""
    knots = rng.normal(0, rng.uniform(0.02, 0.25), int(time_s[-1]) + 3)
    drift = np.interp(time_s, np.arange(knots.size), knots)
    cycles = np.cumsum(_log_uniform(25, 250, rng) * np.exp(drift)) / SAMPLE_RATE_HZ
    buzz = _harmonics(cycles, rng.uniform(0.1, 1, 24) * np.arange(1, 25) ** -rng.uniform(0, 1.5))
    strokes = 1 + rng.uniform(0, 1) * np.sin(2 * np.pi * cycles / rng.integers(1, 5))
    return np.asarray(strokes * (buzz + rng.uniform(0.2, 3) * _coloured(time_s, rng)))


def _knocks(time_s: Times, rng: np.random.Generator) -> Times:
    """Make clicks, taps, typing, steps: short bursts at mostly irregular moments, ringing a little."""
    out = np.zeros_like(time_s)
    rate_hz = _log_uniform(0.7, 12, rng)
    regular = rng.random() < 0.3
    centre_hz, ring = _log_uniform(150, 6_000, rng), _log_uniform(2, 30, rng)
    position_s = float(rng.uniform(0, 1))
    while position_s < time_s[-1]:
        out[int(position_s * SAMPLE_RATE_HZ)] = rng.uniform(0.3, 1)
        position_s += 1 / rate_hz * (1 + 0.03 * rng.standard_normal()) if regular else rng.exponential(1 / rate_hz)
        position_s = max(position_s, 0.0)
    decay = np.exp(-np.arange(1_600) / _log_uniform(20, 500, rng))
    bursts = signal.oaconvolve(out, decay)[: out.size] * rng.standard_normal(out.size)
    # A peak wider than the whole band would be an unstable filter.
    quality = max(ring / 4, centre_hz / 6_000)
    return np.asarray(signal.lfilter(*signal.iirpeak(centre_hz, quality, fs=SAMPLE_RATE_HZ), bursts))


def _applause(time_s: Times, rng: np.random.Generator) -> Times:
    """Make hands clap: everybody at a pace of their own, sometimes all together for a while."""
    out = np.zeros(time_s.size)
    together = rng.random() < 0.25
    pace_s = float(rng.uniform(0.18, 0.45))
    for _ in range(int(rng.integers(3, 60))):
        own_s = pace_s if together else float(rng.uniform(0.15, 0.5))
        spread_s = 0.02 if together else 0.1 * own_s
        start_s = 0.0 if together else float(rng.uniform(0, own_s))
        moments_s = np.arange(start_s, time_s[-1], own_s)
        moments_s = moments_s + spread_s * rng.standard_normal(moments_s.size)
        places = np.clip((moments_s * SAMPLE_RATE_HZ).astype(np.int64), 0, time_s.size - 1)
        out[places] += rng.uniform(0.1, 1) * rng.uniform(0.6, 1, places.size)
    decay = np.exp(-np.arange(800) / _log_uniform(30, 150, rng))
    bursts = signal.oaconvolve(out, decay)[: out.size] * rng.standard_normal(out.size)
    swell = np.interp(time_s, np.linspace(0, time_s[-1], 6), rng.uniform(0.1, 1, 6))
    return np.asarray(swell * signal.lfilter(*signal.iirpeak(_log_uniform(700, 2_500, rng), 0.7, fs=16_000), bursts))


def _coloured(time_s: Times, rng: np.random.Generator) -> Times:
    """Make noise with a random spectrum and slow ups and downs: wind, water, traffic, fans."""
    frequencies = np.array([0, 100, 300, 800, 2_000, 4_000, 8_000])
    gains = 10 ** (np.cumsum(rng.normal(-4, 8, frequencies.size)) / 20)
    taps = signal.firwin2(255, frequencies, gains / gains.max(), fs=SAMPLE_RATE_HZ)
    noise = signal.oaconvolve(rng.standard_normal(time_s.size), taps)[: time_s.size]
    knots = rng.normal(0, rng.uniform(0, 8), int(4 * time_s[-1]) + 3)
    return np.asarray(noise * 10 ** (np.interp(4 * time_s, np.arange(knots.size), knots) / 20))


def _harmonics(cycles: Times, weights: Times, highest_hz: float = 0.0) -> Times:
    """Add sines at multiples of a phase in cycles, without those that would alias."""
    if highest_hz == 0.0 and cycles.size > 1:
        highest_hz = float(np.abs(np.diff(cycles[:: max(1, cycles.size // 1_000)])).max()) * SAMPLE_RATE_HZ
        highest_hz /= max(1, cycles.size // 1_000)
    total = np.zeros_like(cycles)
    for number, weight in enumerate(weights, start=1):
        if number == 1 or number * highest_hz < 7_500:
            total += weight * np.sin(2 * np.pi * number * cycles)
    return total


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


_KINDS: Final[tuple[tuple[Callable[[Times, np.random.Generator], Times], float], ...]] = (
    (_beeps, 1.0),
    (_siren, 0.7),
    (_hum, 0.5),
    (_calls, 3.0),
    (_engine, 2.0),
    (_knocks, 1.5),
    (_applause, 0.7),
    (_coloured, 2.0),
)
