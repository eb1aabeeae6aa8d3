"""Compose a query as a phone would hear it: excerpt, room with past context, noise, band limit, mu-law."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from evaluation.retrieval.conditions import Condition, Room
from evaluation.retrieval.queries import PAST_S, Plan, Query
from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16

__all__ = ["band_power", "compose"]

SNR_BAND_HZ = (100.0, 7000.0)
PHONE_BAND_HZ = (200.0, 3800.0)
_LEVEL_DBFS = -20.0


def compose(query: Query, samples: NDArray[np.float32], condition: Condition, plan: Plan) -> NDArray[np.float32]:
    """Return what the phone hears.

    Parameters
    ----------
    query : Query
    samples : ndarray of float32, shape (n,), in [-1, 1]
        The whole recording that the query is cut from.
    condition : Condition
    plan : Plan
        With the noises and rooms that the query numbers refer to.

    Returns
    -------
    ndarray of float32, shape (length_s * 16000,), in [-1, 1]
    """
    first, n = round(query.start_s * SAMPLE_RATE_HZ), round(condition.length_s * SAMPLE_RATE_HZ)
    music = samples[first : first + n]
    response = _room_response(query, condition.room, plan)
    if response is not None:
        # Sound from before the excerpt still rings in the room when it begins.
        past = samples[max(0, first - max(response.size, round(PAST_S * SAMPLE_RATE_HZ))) : first]
        wet = scipy.signal.fftconvolve(np.concatenate([past, music]), response)
        music = wet[past.size : past.size + n].astype(np.float32)
    music = np.pad(music, (0, n - music.size))
    if condition.other_s:
        music = _begin_with_another(music, query, condition.other_s, plan)
    if condition.snr_db is not None:
        noise = _heard_noise(query, n, plan, response if condition.noise_in_room else None)
        ratio = band_power(music) / max(band_power(noise), 1e-20)
        music = music + noise * np.float32(np.sqrt(ratio) * 10 ** (-condition.snr_db / 20))
    if condition.phone_band:
        filters = scipy.signal.butter(4, PHONE_BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
        music = scipy.signal.sosfilt(filters, music).astype(np.float32)
    heard = _levelled(music)
    return to_float32(mulaw.decode(mulaw.encode(to_int16(heard)))) if condition.mulaw else heard


def band_power(samples: NDArray[np.float32]) -> float:
    """Return the mean square of a signal within 100-7000 Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies_hz = np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE_HZ)
    inside = (frequencies_hz >= SNR_BAND_HZ[0]) & (frequencies_hz <= SNR_BAND_HZ[1])
    return float(2 * np.sum(np.abs(spectrum[inside]) ** 2) / samples.size**2)


def _room_response(query: Query, room: Room, plan: Plan) -> NDArray[np.float32] | None:
    if room == "none":
        return None
    responses = plan.rooms[room]
    # A room number was drawn among all simulated rooms; there are fewer of one reverberation time.
    return responses[(query.measured_room if room == "measured" else query.simulated_room) % len(responses)]


def _heard_noise(query: Query, n: int, plan: Plan, response: NDArray[np.float32] | None) -> NDArray[np.float32]:
    noise = plan.noises[query.noise]
    if response is None:
        return _looped(noise, query.noise_start, n)
    dry = _looped(noise, query.noise_start, n + response.size)
    return scipy.signal.fftconvolve(dry, response)[response.size : response.size + n].astype(np.float32)


def _begin_with_another(music: NDArray[np.float32], query: Query, other_s: float, plan: Plan) -> NDArray[np.float32]:
    """Replace the first seconds by a noise other than the query's, as loud as the music after it."""
    n = round(other_s * SAMPLE_RATE_HZ)
    other = _looped(plan.noises[(query.noise + 1) % len(plan.noises)], query.noise_start, n)
    ratio = band_power(music[n:]) / max(band_power(other), 1e-20)
    return np.concatenate([other * np.float32(np.sqrt(ratio)), music[n:]])


def _looped(noise: NDArray[np.float32], start: float, n: int) -> NDArray[np.float32]:
    first = int(start * noise.size)
    return np.take(noise, np.arange(first, first + n), mode="wrap")


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    rms, peak = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), float(np.abs(samples).max())
    gain = min(10 ** (_LEVEL_DBFS / 20) / max(rms, 1e-9), 0.99 / max(peak, 1e-9))
    return samples * np.float32(gain)
