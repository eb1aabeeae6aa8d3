"""Training pairs: a clean window, as in the database, and an augmented window of the same music."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fingerprinter.augment.chain import Augmenter
from fingerprinter.augment.rooms import simulated_rooms, stack_rooms
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.recordings import MIN_NOISE_S, Recordings
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile, read_corpus
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError

__all__ = ["PairSampler", "divided_music", "training_sampler"]

_log = logging.getLogger(__name__)
_MAX_DRAWS = 8
_MIXED_DB = (0.0, 15.0)
_HELD_OUT_STREAM = 2**31 + 1  # no training step has this number


class PairSampler:
    """Draw batches of pairs.

    Parameters
    ----------
    groups : sequence of (Recordings, float)
        Music groups and the share of pairs drawn from each, so that rendered MIDI does not outnumber recordings.
    noises : sequence of (Recordings, float)
        Noise and speech, with their shares.
    augmenter : Augmenter
    max_shift_s : float
        The degraded window begins up to this much earlier or later than the clean one: half of the distance between
        two reference fingerprints.
    babble : Recordings, optional
        Speech of which three to six voices at a time are a noise.
    babble_share : float in [0, 1]
        Share of noises that are babble.
    neighbors_share : float in [0, 1]
        Share of pairs that come from the same recording as the pair before, as hard negatives.
    mixed_share : float in [0, 1]
        Share of pairs whose music a broadcast mixes with other music or, as often, with a voice, 0 to 15 dB below it.
    """

    def __init__(
        self,
        groups: Sequence[tuple[Recordings, float]],
        noises: Sequence[tuple[Recordings, float]],
        augmenter: Augmenter,
        *,
        max_shift_s: float,
        babble: Recordings | None = None,
        babble_share: float = 0.0,
        neighbors_share: float = 0.3,
        mixed_share: float = 0.0,
    ) -> None:
        self.babble, self.babble_share = babble, babble_share
        self.groups, self.noises, self.augmenter = groups, noises, augmenter
        self.max_shift = round(max_shift_s * SAMPLE_RATE_HZ)
        self.neighbors_share, self.mixed_share = neighbors_share, mixed_share
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
        past, window = self.augmenter.past_samples, self.augmenter.window_samples
        clean = np.empty((n_pairs, window), np.float32)
        shifted = np.empty((n_pairs, past + window), np.float32)
        noise = np.empty_like(shifted)
        songs = np.empty(n_pairs, np.int32)
        recording: tuple[int, int] | None = None
        for row in range(n_pairs):
            if recording is None or rng.random() >= self.neighbors_share:
                group = _choose(self.groups, rng)
                recording = group, int(rng.integers(len(self.groups[group][0])))
            group, index = recording
            recordings = self.groups[group][0]
            songs[row] = self._first_numbers[group] + index
            start = self._draw_start(recordings, index, rng)
            clean[row] = recordings.cut(index, start, window)
            shift = int(rng.integers(-self.max_shift, self.max_shift + 1))
            shifted[row] = recordings.cut(index, start + shift - past, past + window)
            if self.mixed_share and rng.random() < self.mixed_share:
                shifted[row] += self._draw_mixed(shifted[row], rng)
            noise[row] = self.draw_noise(past + window, rng)
        degraded, _ = self.augmenter.augment(shifted, noise, rng)
        return np.concatenate([clean, degraded]), np.tile(songs, 2)

    def _draw_start(self, recordings: Recordings, index: int, rng: np.random.Generator) -> int:
        """Draw a window that is not silent; a wholly silent recording gives its last draw."""
        window = self.augmenter.window_samples
        room = len(recordings.parts[index]) - window
        start = 0
        for _ in range(_MAX_DRAWS):
            start = int(rng.integers(max(1, room)))
            if recordings.sounds(index, start, window):
                break
        return start

    def draw_noise(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw one noise, a mixture of two in a third of the draws, or babble; of equal RMS before mixing."""
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

    def _draw_mixed(self, music: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw what a broadcast lays over music, before any loudspeaker."""
        voices = self.babble if self.babble is not None and rng.random() < 0.5 else None
        other = (voices or self.groups[_choose(self.groups, rng)][0]).loop(music.size, rng)
        level = np.sqrt(np.mean(music**2)) * 10.0 ** (-float(rng.uniform(*_MIXED_DB)) / 20.0)
        return _scaled(other) * np.float32(level)

    def _draw_single(self, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        return _scaled(self.noises[_choose(self.noises, rng)][0].loop(length, rng))


def training_sampler(config: TrainingConfig, sources: TrainingSources) -> PairSampler:
    """Return the sampler of training pairs, which reads what it draws from the cache of decoded audio."""
    past = round(config.past_s * config.front_end.sample_rate_hz)
    window = config.front_end.window_samples
    window_s, cache = config.front_end.window_s, sources.cache_dir
    music, _ = divided_music(config, sources)
    groups = [(Recordings.load(music, cache, min_s=window_s), config.recordings_share)]
    if rendered := sources.rendered_files():
        groups.append((Recordings.load(rendered, cache, min_s=window_s), 1.0 - config.recordings_share))
    noise = Recordings.load(sources.files("noise", "train"), cache, min_s=MIN_NOISE_S)
    speech = Recordings.load(sources.files("speech", "train"), cache, min_s=MIN_NOISE_S)
    noises = [(noise, config.noise_share), (speech, 1.0 - config.noise_share)]
    rooms = [load_cached(file.path, cache) for file in read_corpus(sources.corpus, "rir", "train")]
    for name, items in (("music", groups), ("noise", noises)):
        _log.info("%s: %s", name, ", ".join(f"{len(item)} recordings, {item.hours:.1f} h" for item, _ in items))
    augmenter = Augmenter(
        config.augment,
        measured_rooms=stack_rooms(rooms, past),
        simulated_rooms=simulated_rooms(
            config.n_simulated_rooms, n_samples=past, seed=config.seed, cache_dir=cache / "rooms"
        ),
        past_samples=past,
        window_samples=window,
    )
    return PairSampler(
        groups,
        noises,
        augmenter,
        max_shift_s=config.max_shift_s,
        babble=speech,
        babble_share=config.babble_share,
        neighbors_share=config.neighbors_share,
        mixed_share=config.mixed_share,
    )


def divided_music(config: TrainingConfig, sources: TrainingSources) -> tuple[list[CorpusFile], list[CorpusFile]]:
    """Return the recordings to train on, and those of the corpus's ``train`` split that are held out for validation."""
    music, n = sources.files("music", "train"), config.n_held_out
    own = read_corpus(sources.corpus, "music", "train")
    if n >= len(own):
        message = f"n_held_out: expected fewer than the {len(own)} recordings of the train split, found {n}"
        raise ConfigError(message)
    chosen = np.random.default_rng([config.seed, _HELD_OUT_STREAM]).choice(len(own), n, replace=False)
    held_out = [own[index] for index in sorted(chosen)]
    left_out = {file.path for file in held_out}
    return [file for file in music if file.path not in left_out], held_out


def _choose(groups: Sequence[tuple[Recordings, float]], rng: np.random.Generator) -> int:
    shares = np.array([share for _, share in groups])
    return int(rng.choice(len(groups), p=shares / shares.sum()))


def _scaled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples / np.float32(np.sqrt(np.mean(samples**2)) + 1e-6)


def _coloured_noise(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw noise whose power falls by 0 to 6 dB an octave."""
    block = 1 << int(np.ceil(np.log2(length)))
    spectrum = np.fft.rfft(rng.standard_normal(block))
    slope = rng.uniform(0.0, 1.0)
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -slope
    return _scaled(np.fft.irfft(spectrum)[:length].astype(np.float32))
