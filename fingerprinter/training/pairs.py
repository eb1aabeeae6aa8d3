"""Training pairs: a clean window as the database knows it, and the same music as a phone hears it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprinter.augment.chain import Degrader
from nowplaying_core.errors import ConfigError

__all__ = ["PairSampler", "Recordings"]

_SILENT_RMS = 10.0 ** (-55.0 / 20.0)
_MAX_DRAWS = 8


@dataclass(frozen=True, slots=True)
class Recordings:
    """Decoded recordings kept in memory as int16, end to end.

    Attributes
    ----------
    pcm : ndarray of int16, shape (n_samples,)
    starts : ndarray of int64, shape (n_recordings + 1,)
        Where each begins; the last entry is the end.
    """

    pcm: NDArray[np.int16]
    starts: NDArray[np.int64]

    @classmethod
    def join(cls, recordings: Sequence[NDArray[np.int16]], *, min_samples: int = 0) -> "Recordings":
        """Join recordings, leaving out those shorter than ``min_samples``."""
        kept = [recording for recording in recordings if len(recording) >= min_samples]
        if not kept:
            message = f"expected recordings of at least {min_samples} samples, found none among {len(recordings)}"
            raise ConfigError(message)
        starts = np.concatenate([[0], np.cumsum([len(recording) for recording in kept])])
        return cls(np.concatenate(kept), starts.astype(np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def hours(self) -> float:
        """Total duration at 16 kHz."""
        return len(self.pcm) / 16_000 / 3600

    def cut(self, index: int, start: int, length: int) -> NDArray[np.float32]:
        """Return a part of one recording, with zeros before its begin and after its end."""
        begin, end = int(self.starts[index]), int(self.starts[index + 1])
        part = np.zeros(length, np.float32)
        low, high = max(0, start), min(end - begin, start + length)
        if high > low:
            part[low - start : high - start] = self.pcm[begin + low : begin + high] / np.float32(32767.0)
        return part

    def loop(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a random part of a random recording, repeated where it is too short."""
        index = int(rng.integers(len(self)))
        duration = int(self.starts[index + 1] - self.starts[index])
        if duration >= length:
            return self.cut(index, int(rng.integers(duration - length + 1)), length)
        whole = self.cut(index, 0, duration)
        return np.resize(np.roll(whole, int(rng.integers(duration))), length)


class PairSampler:
    """Draw batches of pairs.

    Parameters
    ----------
    groups : sequence of (Recordings, float)
        Music groups and the share of pairs drawn from each, so that many renderings do not drown few recordings.
    noises : sequence of (Recordings, float)
        Noise and speech, with their shares.
    degrader : Degrader
    max_shift_s : float
        The degraded window begins up to this much earlier or later than the clean one: half of the distance between
        two reference fingerprints.
    babble : Recordings, optional
        Speech of which three to six voices at a time are a noise.
    babble_share : float in [0, 1]
        Share of noises that are such a crowd.
    neighbours : float in [0, 1]
        Share of pairs that come from the same recording as the pair before, as hard negatives.
    """

    def __init__(
        self,
        groups: Sequence[tuple[Recordings, float]],
        noises: Sequence[tuple[Recordings, float]],
        degrader: Degrader,
        *,
        max_shift_s: float,
        babble: Recordings | None = None,
        babble_share: float = 0.0,
        neighbours: float = 0.3,
    ) -> None:
        self.babble, self.babble_share = babble, babble_share
        self.groups, self.noises, self.degrader = groups, noises, degrader
        self.max_shift = round(max_shift_s * 16_000)
        self.neighbours = neighbours
        self._first_numbers = np.cumsum([0, *(len(recordings) for recordings, _ in groups)])

    def draw(self, n_pairs: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Draw a batch.

        Returns
        -------
        windows : ndarray of float32, shape (2 n_pairs, window_samples)
            Clean windows, then their degraded copies.
        songs : ndarray of int32, shape (2 n_pairs,)
            Number of the recording that each comes from, counted through all groups.
        """
        past, window = self.degrader.past_samples, self.degrader.window_samples
        clean = np.empty((n_pairs, window), np.float32)
        shifted = np.empty((n_pairs, past + window), np.float32)
        noise = np.empty_like(shifted)
        songs = np.empty(n_pairs, np.int32)
        place: tuple[int, int] | None = None
        for row in range(n_pairs):
            if place is None or rng.random() >= self.neighbours:
                group = _choose(self.groups, rng)
                place = group, int(rng.integers(len(self.groups[group][0])))
            group, index = place
            recordings = self.groups[group][0]
            songs[row] = self._first_numbers[group] + index
            start = self._draw_start(recordings, index, rng)
            clean[row] = recordings.cut(index, start, window)
            shift = int(rng.integers(-self.max_shift, self.max_shift + 1))
            shifted[row] = recordings.cut(index, start + shift - past, past + window)
            noise[row] = self.draw_noise(past + window, rng)
        degraded, _ = self.degrader.degrade(shifted, noise, rng)
        return np.concatenate([clean, degraded]), np.tile(songs, 2)

    def _draw_start(self, recordings: Recordings, index: int, rng: np.random.Generator) -> int:
        """Draw a window that is not silent; a wholly silent recording gives its last draw."""
        window = self.degrader.window_samples
        room = int(recordings.starts[index + 1] - recordings.starts[index]) - window
        start = 0
        for _ in range(_MAX_DRAWS):
            start = int(rng.integers(max(1, room)))
            if np.sqrt(np.mean(recordings.cut(index, start, window)[::8] ** 2)) > _SILENT_RMS:
                break
        return start

    def draw_noise(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw one source, in a third of the draws two at random balance, or a crowd; of equal RMS before mixing."""
        if self.babble is not None and self.babble_share and rng.random() < self.babble_share:
            voices = [_scaled(self.babble.loop(length, rng)) for _ in range(int(rng.integers(3, 7)))]
            return _scaled(np.sum(voices, axis=0, dtype=np.float32))
        kind = rng.random()
        if kind < 0.12:
            return _coloured_noise(length, rng)
        mixture = self._draw_single(length, rng)
        if kind > 0.67:
            mixture = mixture + self._draw_single(length, rng) * np.float32(rng.uniform(0.3, 1))
        return mixture

    def _draw_single(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        return _scaled(self.noises[_choose(self.noises, rng)][0].loop(length, rng))


def _choose(groups: Sequence[tuple[Recordings, float]], rng: np.random.Generator) -> int:
    shares = np.array([share for _, share in groups])
    return int(rng.choice(len(groups), p=shares / shares.sum()))


def _scaled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples / np.float32(np.sqrt(np.mean(samples**2)) + 1e-6)


def _coloured_noise(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw noise whose power falls by 0 to 6 dB an octave: air conditioning, traffic, tape hiss."""
    block = 1 << int(np.ceil(np.log2(length)))
    spectrum = np.fft.rfft(rng.standard_normal(block))
    slope = rng.uniform(0.0, 1.0)
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -slope
    return _scaled(np.fft.irfft(spectrum)[:length].astype(np.float32))
