"""Compose a query as a phone would capture it: excerpt, room with past context, noise, band limit, mu-law."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from evaluation.retrieval.conditions import Condition, Room
from evaluation.retrieval.queries import PAST_S, Plan, Query
from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16
from nowplaying_core.audio.mixing import band_rms, looped, snr_gain

__all__ = ["compose"]

PHONE_BAND_HZ = (200.0, 3800.0)
_LEVEL_DBFS = -20.0


def compose(query: Query, samples: NDArray[np.float32], condition: Condition, plan: Plan) -> NDArray[np.float32]:
    """Return the sound that the phone captures.

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
        noise = _noise_of(query, n, plan, response if condition.noise_in_room else None)
        music = music + noise * snr_gain(_level(music), _level(noise), condition.snr_db)
    if condition.phone_band:
        filters = scipy.signal.butter(4, PHONE_BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
        music = scipy.signal.sosfilt(filters, music).astype(np.float32)
    captured = _levelled(music)
    return to_float32(mulaw.decode(mulaw.encode(to_int16(captured)))) if condition.mulaw else captured


def _level(samples: NDArray[np.float32]) -> float:
    # One spectrum and not several, because the queries behind published figures were composed so.
    return band_rms(samples, block=samples.size)


def _room_response(query: Query, room: Room, plan: Plan) -> NDArray[np.float32] | None:
    if room == "none":
        return None
    responses = plan.rooms[room]
    # A room number was drawn among all simulated rooms; there are fewer of one reverberation time.
    return responses[(query.measured_room if room == "measured" else query.simulated_room) % len(responses)]


def _noise_of(query: Query, n: int, plan: Plan, response: NDArray[np.float32] | None) -> NDArray[np.float32]:
    noise = plan.noises[query.noise]
    if response is None:
        return looped(noise, int(query.noise_start * noise.size), n)
    dry = looped(noise, int(query.noise_start * noise.size), n + response.size)
    return scipy.signal.fftconvolve(dry, response)[response.size : response.size + n].astype(np.float32)


def _begin_with_another(music: NDArray[np.float32], query: Query, other_s: float, plan: Plan) -> NDArray[np.float32]:
    """Replace the first seconds by a noise other than the query's, as loud as the music after it."""
    n = round(other_s * SAMPLE_RATE_HZ)
    noise = plan.noises[(query.noise + 1) % len(plan.noises)]
    other = looped(noise, int(query.noise_start * noise.size), n)
    return np.concatenate([other * snr_gain(_level(music[n:]), _level(other), 0.0), music[n:]])


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    rms, peak = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), float(np.abs(samples).max())
    gain = min(10 ** (_LEVEL_DBFS / 20) / max(rms, 1e-9), 0.99 / max(peak, 1e-9))
    return samples * np.float32(gain)
