"""Validation during training: single short queries from music not trained on, by whose top-1 the best are kept."""

from typing import Final

import keras
import numpy as np

from fingerprinter.augment.chain import Augmenter
from fingerprinter.augment.config import AugmentConfig
from fingerprinter.augment.rooms import simulated_rooms
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.model import predict
from fingerprinter.training.pairs import PairSampler, divided_music
from fingerprinter.training.recordings import MIN_NOISE_S, Recordings
from nowplaying_core.audio.corpus import Group, read_corpus
from nowplaying_core.audio.sources import TrainingSources

__all__ = ["Validation"]

_HARD: Final = AugmentConfig(snr_db=(0.0, 0.0), p_noise=1.0, p_room=1.0, p_measured=0.0, p_gap=0.0, p_mulaw=1.0)
_N_ROOMS: Final = 60
_ROOM_SEED: Final = 2**31  # no training run draws its rooms from this


class Validation:
    """Song-level top-1 of queries of one window at 0 dB in rooms, by exact search.

    Music, noise and speech are of the ``dev`` split; with ``n_held_out`` the music is what of the ``train`` split is
    held out, and noise and speech are of that split.

    Parameters
    ----------
    config : TrainingConfig
    sources : TrainingSources
    """

    def __init__(self, config: TrainingConfig, sources: TrainingSources) -> None:
        past = round(config.past_s * config.front_end.sample_rate_hz)
        window = config.front_end.window_samples
        self._hop = config.front_end.sample_rate_hz  # one reference a second keeps validation quick
        cache = sources.cache_dir
        music, split = sources.files("music", "dev"), "dev"
        if config.n_held_out:
            (_, music), split = divided_music(config, sources), "train"
        self._music = Recordings.load(music, cache, min_s=config.front_end.window_s)
        groups: tuple[tuple[Group, float], ...] = (("noise", 0.6), ("speech", 0.4))
        noises = [
            (Recordings.load(read_corpus(sources.corpus, group, split), cache, min_s=MIN_NOISE_S), share)
            for group, share in groups
        ]
        rooms = simulated_rooms(_N_ROOMS, n_samples=past, seed=_ROOM_SEED, cache_dir=cache / "rooms")
        augmenter = Augmenter(
            _HARD,
            measured_rooms=np.zeros((0, past), np.float32),
            simulated_rooms=rooms,
            past_samples=past,
            window_samples=window,
        )
        sampler = PairSampler([(self._music, 1.0)], noises, augmenter, max_shift_s=0.0)
        rng = np.random.default_rng(0)
        self._truth = rng.integers(len(self._music), size=config.n_validation_queries)
        shifted, noise = [], []
        for index in self._truth:
            length = len(self._music.parts[index])
            # As far from a reference as a query can be from those of the model's own hop.
            start = self._hop * int(rng.integers(max(1, (length - window) // self._hop)))
            start = max(0, start + round(float(rng.uniform(-0.5, 0.5)) * config.reference_hop_s * self._hop))
            shifted.append(self._music.cut(int(index), start - past, past + window))
            noise.append(sampler.draw_noise(past + window, rng))
        self._queries, _ = augmenter.augment(np.stack(shifted), np.stack(noise), rng)

    def __call__(self, model: keras.Model) -> float:
        """Return the share of queries whose nearest window is of the right song."""
        window = self._queries.shape[1]
        queries = predict(model, self._queries)
        nearest = np.empty((len(queries), len(self._music)), np.float32)
        for index, recording in enumerate(self._music.parts):  # one at a time, for the memory
            starts = range(0, max(1, len(recording) - window + 1), self._hop)
            references = predict(model, np.stack([self._music.cut(index, start, window) for start in starts]))
            nearest[:, index] = (queries @ references.T).max(axis=1)
        found = np.argmax(nearest, axis=1)
        return float(np.mean(found == self._truth))
