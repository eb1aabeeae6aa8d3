"""Music made with NumPy: melodies over chords with drums, that listeners and fingerprints can tell apart."""

import numpy as np

__all__ = ["SAMPLE_RATE_HZ", "song"]

SAMPLE_RATE_HZ = 16_000
_SCALES = ([0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 4, 7, 9], [0, 3, 5, 6, 7, 10])


def song(seed: int, duration_s: float) -> np.ndarray:
    """Return mono float32 music in [-0.7, 0.7] at 16 kHz; another seed gives another key, tempo, tune and timbre."""
    rng = np.random.default_rng([77, seed])
    mix = np.zeros(round(duration_s * SAMPLE_RATE_HZ))
    scale, root = _SCALES[seed % len(_SCALES)], int(rng.integers(45, 57))
    beat_s = 60.0 / rng.uniform(84, 150)
    partials = rng.uniform(0.05, 1.0, 8) / np.arange(1, 9)
    time_s, chord = 0.0, [0, 2, 4]
    for beat in range(int(duration_s / beat_s) + 1):
        if beat % 4 == 0:
            first = int(rng.integers(len(scale)))
            chord = [first, first + 2, first + 4]
        if beat % 2 == 0:
            for degree in chord:
                _add(mix, time_s, _note(_pitch(scale, root - 12, degree), 2 * beat_s, partials), 0.15)
        for half in range(2):
            if rng.random() < 0.75:
                degree = int(rng.integers(0, 2 * len(scale)))
                length_s = beat_s * rng.choice([0.5, 1.0])
                _add(mix, time_s + half * beat_s / 2, _note(_pitch(scale, root + 12, degree), length_s, partials), 0.4)
        hit = rng.standard_normal(2_000) * np.exp(-np.arange(2_000) / (300 if beat % 2 else 900))
        _add(mix, time_s, hit, 0.15)
        time_s += beat_s
    return (0.7 * mix / np.abs(mix).max()).astype(np.float32)


def _pitch(scale: list[int], root: int, degree: int) -> float:
    octave, step = divmod(degree, len(scale))
    return 440.0 * 2 ** ((root + 12 * octave + scale[step] - 69) / 12)


def _note(frequency_hz: float, duration_s: float, partials: np.ndarray) -> np.ndarray:
    time_s = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    audible = [(k, level) for k, level in enumerate(partials, start=1) if k * frequency_hz < 7_500]
    tone = sum(level * np.sin(2 * np.pi * k * frequency_hz * time_s) for k, level in audible)
    return tone * np.minimum(1.0, time_s / 0.01) * np.exp(-2.5 * time_s / duration_s)


def _add(mix: np.ndarray, start_s: float, part: np.ndarray, gain: float) -> None:
    first = round(start_s * SAMPLE_RATE_HZ)
    part = part[: max(0, len(mix) - first)]
    mix[first : first + len(part)] += gain * part
