"""The degradation of a batch in physical order: loudspeaker, room, noise, microphone, level, mu-law."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from fingerprinter.augment.bands import draw_band_limit, response
from fingerprinter.augment.rooms import exponential_room
from nowplaying.audio.mulaw import decode, encode
from nowplaying.audio.pcm import to_float32, to_int16
from nowplaying.errors import ConfigError

__all__ = ["AugmentConfig", "Degrader", "Drawn"]

SAMPLE_RATE_HZ = 16_000
_SNR_BAND_HZ = (100.0, 7000.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """Ranges that the degradations are drawn from; probabilities are independent.

    Attributes
    ----------
    snr_db : tuple of float
        Range of the music-to-noise ratio, RMS in 100-7000 Hz, after the room.
    p_noise, p_room, p_measured, p_speaker, p_microphone, p_clip, p_mulaw, p_gap : float in [0, 1]
        Noise at all; a room at all, and among rooms a measured one; loudspeaker and microphone responses; clipping;
        mu-law; music missing at one end of the window (a song that just begins, or ended).
    level_dbfs : tuple of float
        Range of the level before clipping and mu-law.
    """

    snr_db: tuple[float, float] = (-6.0, 15.0)
    p_noise: float = 0.95
    p_room: float = 0.65
    p_measured: float = 0.2
    p_speaker: float = 0.6
    p_microphone: float = 0.8
    p_clip: float = 0.1
    p_mulaw: float = 0.5
    p_gap: float = 0.1
    level_dbfs: tuple[float, float] = (-45.0, -6.0)

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name.startswith("p_") and not 0 <= value <= 1:
                message = f"{name} must be a probability in [0, 1], found {value}"
                raise ConfigError(message)
        if self.snr_db[0] > self.snr_db[1] or self.level_dbfs[0] > self.level_dbfs[1]:
            message = f"ranges must be (low, high): found snr_db {self.snr_db}, level_dbfs {self.level_dbfs}"
            raise ConfigError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What was done to one excerpt; enough to explain a training example, and readable as a dict."""

    snr_db: float
    room: str
    speaker: Any
    microphone: Any
    level_dbfs: float
    clip_fraction: float
    mulaw: bool
    gap_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class Degrader:
    """Degrade excerpts that carry past audio, so that a room's tail reaches into the window as it does in reality.

    Parameters
    ----------
    config : AugmentConfig
    measured_rooms, simulated_rooms : ndarray of float32, shape (n, past_samples)
        Aligned responses; either may be empty, then exponential rooms stand in.
    past_samples : int
        Audio before the window; a room is heard through at most as much.
    window_samples : int
    """

    def __init__(
        self,
        config: AugmentConfig,
        *,
        measured_rooms: NDArray[np.float32],
        simulated_rooms: NDArray[np.float32],
        past_samples: int,
        window_samples: int,
    ) -> None:
        self.config = config
        self.past_samples, self.window_samples = past_samples, window_samples
        self.total_samples = past_samples + window_samples
        # Rooms are used thousands of times each: keep their spectra.
        self.measured_rooms = scipy.fft.rfft(measured_rooms, n=self.total_samples, axis=1)
        self.simulated_rooms = scipy.fft.rfft(simulated_rooms, n=self.total_samples, axis=1)
        self._frequencies_hz = np.fft.rfftfreq(self.total_samples, 1 / SAMPLE_RATE_HZ).astype(np.float64)
        low, high = np.searchsorted(self._frequencies_hz, _SNR_BAND_HZ)
        self._band = slice(int(low), int(high))

    def degrade(
        self, music: NDArray[np.float32], noise: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[Drawn]]:
        """Degrade a batch.

        Parameters
        ----------
        music, noise : ndarray of float32, shape (n, past_samples + window_samples)
            The excerpt with the audio before it, and as much noise.
        rng : numpy.random.Generator

        Returns
        -------
        (ndarray of float32, shape (n, window_samples), list of Drawn)
        """
        music = music.copy()
        gaps_s = [self._cut_gap(row, rng) for row in music]
        # Circular convolution wraps at most past_samples, all inside the part that is cut away.
        spectrum = scipy.fft.rfft(music, axis=1)
        noise_spectrum = scipy.fft.rfft(noise, axis=1)
        records: list[dict[str, Any]] = []
        for row, noise_row, gap_s in zip(spectrum, noise_spectrum, gaps_s, strict=True):
            records.append({**self._mix(row, noise_row, rng), "gap_s": gap_s})
        mixed = scipy.fft.irfft(spectrum, n=self.total_samples, axis=1)[:, self.past_samples :]
        drawn = []
        for index, record in enumerate(records):
            mixed[index], levels = self._capture(mixed[index], rng)
            drawn.append(Drawn(**record, **levels))
        return np.ascontiguousarray(mixed, np.float32), drawn

    def _cut_gap(self, music: NDArray[np.float32], rng: np.random.Generator) -> float:
        """Silence the music before a point in the window (it begins there) or after it; return the gap in seconds."""
        if rng.random() >= self.config.p_gap:
            return 0.0
        gap = int(rng.uniform(0.1, 0.4) * self.window_samples)
        if rng.random() < 0.5:
            music[: self.past_samples + gap] = 0.0
        else:
            music[self.total_samples - gap :] = 0.0
        return gap / SAMPLE_RATE_HZ

    def _mix(
        self, music: NDArray[np.complex64], noise: NDArray[np.complex64], rng: np.random.Generator
    ) -> dict[str, Any]:
        """Pass one music spectrum through loudspeaker and room, add noise, pass the microphone; in place."""
        config = self.config
        speaker = draw_band_limit(rng) if rng.random() < config.p_speaker else None
        if speaker is not None:
            music *= response(speaker, self._frequencies_hz)
        room_name, room = self._draw_room(rng)
        if room_name:
            music *= room
        snr_db = float("inf")
        if rng.random() < config.p_noise:
            snr_db = float(rng.uniform(*config.snr_db))
            gain = np.sqrt(self._power(music) / (self._power(noise) + 1e-12)) * 10.0 ** (-snr_db / 20.0)
            music += np.float32(gain) * noise
        microphone = None
        if rng.random() < config.p_microphone:
            microphone = draw_band_limit(rng)
            music *= response(microphone, self._frequencies_hz)
        return {"snr_db": snr_db, "room": room_name, "speaker": speaker, "microphone": microphone}

    def _draw_room(self, rng: np.random.Generator) -> tuple[str, NDArray[np.complex64]]:
        """Return a room's name and spectrum; no name means no room."""
        if rng.random() >= self.config.p_room:
            return "", np.zeros(0, np.complex64)
        kind = rng.random()
        for name, rooms, share in (
            ("measured", self.measured_rooms, self.config.p_measured),
            ("simulated", self.simulated_rooms, 0.85),
        ):
            if len(rooms) and kind < share:
                index = int(rng.integers(len(rooms)))
                return f"{name}-{index}", rooms[index]
        room = exponential_room(rng, self.past_samples)
        return "exponential", scipy.fft.rfft(room, n=self.total_samples)

    def _power(self, spectrum: NDArray[np.complex64]) -> float:
        band = spectrum[self._band]
        return float(np.sum(band.real**2 + band.imag**2))

    def _capture(
        self, samples: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Set the level, clip and store as the phone's buffer does."""
        config = self.config
        level_dbfs = float(rng.uniform(*config.level_dbfs))
        samples = samples * np.float32(10.0 ** (level_dbfs / 20.0) / (np.sqrt(np.mean(samples**2)) + 1e-9))
        clip_fraction = 0.0
        if rng.random() < config.p_clip:
            clip_fraction = float(rng.uniform(0.0, 0.05))
            limit = np.quantile(np.abs(samples), 1.0 - clip_fraction)
            samples = np.clip(samples, -limit, limit)
        mulaw = bool(rng.random() < config.p_mulaw)
        if mulaw:
            samples = to_float32(decode(encode(to_int16(samples))))
        return samples, {"level_dbfs": level_dbfs, "clip_fraction": clip_fraction, "mulaw": mulaw}
