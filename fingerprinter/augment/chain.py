"""Augmentation of a batch in physical order: speed, loudspeaker, room, noise, microphone, gain, coding, masks."""

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from fingerprinter.augment.bands import draw_band_limit, response
from fingerprinter.augment.capture import capture, draw_masks
from fingerprinter.augment.config import AugmentationParams, AugmentConfig
from nowplaying_core.audio.mixing import SNR_BAND_HZ
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ
from nowplaying_core.audio.rooms import decaying_response, from_direct_sound

__all__ = ["Augmenter"]

_T60_S = (0.1, 1.2)


class Augmenter:
    """Augment excerpts that carry past audio, so that reverberation reaches into the window as in reality.

    Parameters
    ----------
    config : AugmentConfig
    measured_rooms, simulated_rooms : ndarray of float32, shape (n, past_samples)
        Aligned responses; either may be empty, then decaying noise stands in.
    past_samples : int
        Audio before the window; reverberation is at most as long.
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
        # A room's spectrum takes a ten-thousandth of a second, and the spectra of thousands half a gigabyte.
        self.measured_rooms, self.simulated_rooms = measured_rooms, simulated_rooms
        self._frequencies_hz = np.fft.rfftfreq(self.total_samples, 1 / SAMPLE_RATE_HZ).astype(np.float64)
        low, high = np.searchsorted(self._frequencies_hz, SNR_BAND_HZ)
        self._band = slice(int(low), int(high))

    def augment(
        self, music: NDArray[np.float32], noise: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[AugmentationParams]]:
        """Augment a batch.

        Parameters
        ----------
        music, noise : ndarray of float32, shape (n, past_samples + window_samples)
            The excerpt with the audio before it, and as much noise.
        rng : numpy.random.Generator

        Returns
        -------
        (ndarray of float32, shape (n, window_samples), list of AugmentationParams)
        """
        music = music.copy()
        starts: list[dict[str, Any]] = [
            {"speed": self._change_speed(row, rng), "gap_s": self._cut_gap(row, rng)} for row in music
        ]
        # Circular convolution wraps at most past_samples, all inside the part that is cut away.
        spectrum = scipy.fft.rfft(music, axis=1)
        noise_spectrum = scipy.fft.rfft(noise, axis=1)
        mixes = [self._mix(row, noise_row, rng) for row, noise_row in zip(spectrum, noise_spectrum, strict=True)]
        mixed = scipy.fft.irfft(spectrum, n=self.total_samples, axis=1)[:, self.past_samples :]
        params = []
        for index, (start, mix) in enumerate(zip(starts, mixes, strict=True)):
            mixed[index], stored = capture(mixed[index], self.config, rng)
            for begin_s, end_s in mix["mask_s"]:
                mixed[index, round(begin_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)] = 0.0
            params.append(AugmentationParams(**start, **mix, **stored))
        return np.ascontiguousarray(mixed, np.float32), params

    def _change_speed(self, music: NDArray[np.float32], rng: np.random.Generator) -> float:
        """Play one excerpt faster or slower about the middle of its window, in place; return the factor."""
        if not self.config.p_speed or rng.random() >= self.config.p_speed:
            return 1.0
        speed = 1.0 + float(rng.uniform(-1, 1)) * self.config.max_speed
        middle = self.past_samples + self.window_samples / 2
        positions = np.arange(self.total_samples)
        # At the largest speed a twentieth of a window lies beyond the excerpt and repeats its last sample.
        music[:] = np.interp(middle + (positions - middle) * speed, positions, music)
        return speed

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
        snr_db, noise_in_room = float("inf"), False
        if rng.random() < config.p_noise:
            noise_in_room = bool(room_name and config.p_noise_room and rng.random() < config.p_noise_room)
            if noise_in_room:
                noise *= room
            snr_db = float(rng.uniform(*config.snr_db))
            gain = np.sqrt(self._power(music) / (self._power(noise) + 1e-12)) * 10.0 ** (-snr_db / 20.0)
            music += np.float32(gain) * noise
        microphone = None
        if rng.random() < config.p_microphone:
            microphone = draw_band_limit(rng)
            music *= response(microphone, self._frequencies_hz)
        mask_hz, mask_s = draw_masks(config, self.window_samples / SAMPLE_RATE_HZ, rng)
        for low_hz, high_hz in mask_hz:
            low, high = np.searchsorted(self._frequencies_hz, (low_hz, high_hz))
            music[int(low) : int(high)] = 0.0
        return {
            "speaker": speaker,
            "room": room_name,
            "snr_db": snr_db,
            "noise_in_room": noise_in_room,
            "microphone": microphone,
            "mask_hz": mask_hz,
            "mask_s": mask_s,
        }

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
                return f"{name}-{index}", self._spectrum(rooms[index])
        room = from_direct_sound(decaying_response(rng, *_T60_S), self.past_samples)
        return "decaying-noise", self._spectrum(room)

    def _spectrum(self, room: NDArray[np.float32]) -> NDArray[np.complex64]:
        spectrum: NDArray[np.complex64] = scipy.fft.rfft(room, n=self.total_samples)
        return spectrum

    def _power(self, spectrum: NDArray[np.complex64]) -> float:
        band = spectrum[self._band]
        return float(np.sum(band.real**2 + band.imag**2))
