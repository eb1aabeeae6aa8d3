"""Where training takes its sound from: a corpus, scores rendered to audio, and folders of further recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fingerprinter.augment.chain import Degrader
from fingerprinter.augment.rooms import simulated_rooms, stack_rooms
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.pairs import PairSampler, Recordings
from nowplaying_core.audio import find_audio, to_int16
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile, Group, read_corpus, read_further

__all__ = ["LEAST_NOISE_S", "TrainingSources", "training_sampler"]

LEAST_NOISE_S = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSources:
    """Folders of audio.

    Attributes
    ----------
    corpus : Path
        Folder with ``music``, ``noise``, ``speech`` and ``rir`` tables.
    cache_dir : Path
        For decoded audio and simulated rooms.
    renderings : Path or None
        Folder of music rendered from scores.
    further : Path or None
        Folder with any of ``music``, ``noise`` and ``speech``: further recordings, drawn like the corpus's own.
    """

    corpus: Path
    cache_dir: Path
    renderings: Path | None = None
    further: Path | None = None

    def files(self, group: Group, split: str) -> list[CorpusFile]:
        """List one group; further recordings belong to the ``train`` split."""
        further = read_further(self.further, group) if split == "train" else []
        return read_corpus(self.corpus, group, split) + further

    def recordings(self, group: Group, split: str, *, min_s: float = 0.0) -> Recordings:
        """Decode one group into memory, through the cache."""
        decoded = [to_int16(load_cached(file.path, self.cache_dir)) for file in self.files(group, split)]
        return Recordings.join(decoded, min_samples=round(min_s * 16_000))


def training_sampler(config: TrainingConfig, sources: TrainingSources, report: Callable[[str], None]) -> PairSampler:
    """Return the sampler of training pairs, with everything it draws from in memory."""
    past = round(config.past_s * config.front_end.sample_rate_hz)
    window = config.front_end.window_samples
    groups = [(sources.recordings("music", "train", min_s=config.front_end.window_s), config.recordings_share)]
    if sources.renderings is not None:
        decoded = [to_int16(load_cached(path, sources.cache_dir)) for path in find_audio([sources.renderings])]
        groups.append((Recordings.join(decoded, min_samples=window), 1.0 - config.recordings_share))
    speech = sources.recordings("speech", "train", min_s=LEAST_NOISE_S)
    noises = [
        (sources.recordings("noise", "train", min_s=LEAST_NOISE_S), config.noise_share),
        (speech, 1.0 - config.noise_share),
    ]
    rooms = [load_cached(file.path, sources.cache_dir) for file in read_corpus(sources.corpus, "rir", "train")]
    for name, items in (("music", groups), ("noise", noises)):
        report(f"{name}: " + ", ".join(f"{len(item)} recordings, {item.hours:.1f} h" for item, _ in items))
    degrader = Degrader(
        config.augment,
        measured_rooms=stack_rooms(rooms, past) if rooms else np.zeros((0, past), np.float32),
        simulated_rooms=simulated_rooms(
            config.n_simulated_rooms, n_samples=past, seed=config.seed, cache_dir=sources.cache_dir / "rooms"
        ),
        past_samples=past,
        window_samples=window,
    )
    return PairSampler(
        groups, noises, degrader, max_shift_s=config.max_shift_s, babble=speech, babble_share=config.babble_share
    )
