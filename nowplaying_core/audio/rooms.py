"""Room responses: simulated by the image-source method, drawn as decaying noise, and aligned to the direct sound."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ
from nowplaying_core.errors import needs_extra

__all__ = ["decaying_response", "from_direct_sound", "shoebox_response"]

_SPEED_OF_SOUND_M_S: Final = 343.0
_JOIN_SAMPLES: Final = 320  # 20 ms set the level of the tail


def from_direct_sound(response: NDArray[np.floating], max_samples: int) -> NDArray[np.float32]:
    """Return a response from its strongest sample on, at most so long, with unit energy."""
    cut = response[int(np.argmax(np.abs(response))) :][:max_samples]
    unit: NDArray[np.float32] = (cut / np.sqrt(np.sum(np.square(cut)) + 1e-12)).astype(np.float32)
    return unit


def decaying_response(
    rng: np.random.Generator, t60_low_s: float = 0.15, t60_high_s: float = 1.0
) -> NDArray[np.float32]:
    """Draw a room response: a direct pulse and decaying noise, whose treble decays faster than its bass.

    Returns
    -------
    ndarray of float32, shape (round down of T60 * 16000,)
        Unit energy in the direct pulse; direct-to-reverberant ratio from -6 to 12 dB. T60 is uniform in its range.
    """
    t60_s = float(rng.uniform(t60_low_s, t60_high_s))
    length = int(t60_s * SAMPLE_RATE_HZ)
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    noise = rng.standard_normal((2, length))
    slow = signal.sosfilt(signal.butter(2, 1_500, output="sos", fs=SAMPLE_RATE_HZ), noise[0])
    tail = slow * 10 ** (-3 * time_s / t60_s) + 0.6 * noise[1] * 10 ** (-3 * time_s / (0.6 * t60_s))
    tail[: int(rng.uniform(0.002, 0.02) * SAMPLE_RATE_HZ)] = 0
    direct_db = float(rng.uniform(-6, 12))
    tail *= 10 ** (-direct_db / 20) / (np.sqrt(np.square(tail).sum()) + 1e-9)
    tail[0] = 1.0
    return np.asarray(tail, dtype=np.float32)


def shoebox_response(
    size_m: Sequence[float],
    source_m: Sequence[float],
    microphone_m: Sequence[float],
    absorption: float,
    *,
    n_samples: int,
    max_order: int,
) -> NDArray[np.float32]:
    """Return the response of a shoebox room from its direct sound on, with unit energy.

    Images up to an order (Allen and Berkley, 1979), and noise of the same decay after them.

    Parameters
    ----------
    size_m, source_m, microphone_m : sequence of float, length 3
    absorption : float in (0, 1)
        Of the energy, by every wall.
    n_samples, max_order : int

    Returns
    -------
    ndarray of float32, shape (n_samples,)

    Raises
    ------
    MissingExtraError
        When pyroomacoustics is not installed.
    """
    with needs_extra("train", "simulating rooms"):
        import pyroomacoustics
    order = min(max_order, int(np.ceil(n_samples / SAMPLE_RATE_HZ * _SPEED_OF_SOUND_M_S / min(size_m))) + 1)
    shoebox = pyroomacoustics.ShoeBox(
        size_m, fs=SAMPLE_RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=order
    )
    shoebox.add_source(source_m)
    shoebox.add_microphone(microphone_m)
    shoebox.compute_rir()
    images = np.asarray(shoebox.rir[0][0], np.float64)
    direct = int(np.argmax(np.abs(images)))
    response = np.zeros(n_samples)
    early = images[direct : direct + n_samples]
    response[: early.size] = early
    join = round(order * min(size_m) / _SPEED_OF_SOUND_M_S * SAMPLE_RATE_HZ) - direct
    before = response[max(0, join - _JOIN_SAMPLES) : join]
    if join < n_samples and before.size == _JOIN_SAMPLES:
        # The number of images grows with the cube of their order; a late tail is as good as noise (Polack, 1988),
        # decaying at Eyring's rate. The noise depends on the room's geometry alone.
        width, depth, height = size_m
        surface = 2 * (width * depth + width * height + depth * height)
        t60_s = 0.161 * width * depth * height / (-surface * np.log(1 - absorption))
        seed = [round(1000 * value) for value in (*size_m, *source_m, *microphone_m)]
        noise = np.random.default_rng(seed).standard_normal(n_samples - join)
        time_s = np.arange(n_samples - join) / SAMPLE_RATE_HZ
        response[join:] = np.sqrt(np.mean(before**2)) * noise * 10.0 ** (-3.0 * time_s / t60_s)
    unit: NDArray[np.float32] = (response / np.sqrt(np.sum(response**2))).astype(np.float32)
    return unit
