"""What bits are learned from: fingerprints of clean music and of the same music as a phone's microphone records it."""

import hashlib
import logging

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter
from fingerprinter.training.config import TrainingConfig
from fingerprinter.training.pairs import PairSampler, training_sampler
from nowplaying_core.artifacts import canonical_json, write_array
from nowplaying_core.audio.corpus import GROUPS
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig

__all__ = ["FingerprintPairs", "fingerprint_pairs"]

_log = logging.getLogger(__name__)

_AT_ONCE = 256


class FingerprintPairs:
    """Draws rows of pairs.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, 2, dim)
        Unit rows: clean, then degraded.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return pairs, shape (n, 2, dim), with replacement."""
        return self.vectors[rng.integers(len(self.vectors), size=n)]


def fingerprint_pairs(config: PretrainingConfig, sources: TrainingSources) -> FingerprintPairs:
    """Return the pairs of a run, from the cache where another run of the same seed and sources has made them.

    Clean windows lie up to half a reference hop from the degraded ones; degradations are those of ``augment``.

    Raises
    ------
    ConfigError
        When the fingerprinter has another dimension than ``bits.dim``.
    """
    fingerprinter = Fingerprinter.from_model(config.bits.fingerprinter)
    if fingerprinter.dim != config.bits.dim:
        message = f"bits.dim: expected the {fingerprinter.dim} of {fingerprinter.name}, found {config.bits.dim}"
        raise ConfigError(message)
    training = TrainingConfig(
        seed=config.seed,
        front_end=FrontEndConfig(**fingerprinter.folder.manifest["front_end"]),
        augment=config.augment,
        max_shift_s=fingerprinter.reference_hop_s / 2,
        past_s=config.past_s,
        n_simulated_rooms=config.n_simulated_rooms,
        recordings_share=config.recordings_share,
    )
    recordings = [*(file for group in GROUPS for file in sources.files(group, "train")), *sources.rendered_files()]
    files = [str(file.path) for file in recordings]
    key = [fingerprinter.embedding_space, training.to_dict(), config.bits.n_pairs, files]
    name = hashlib.sha256(canonical_json(key).encode()).hexdigest()[:24]
    path = sources.cache_dir / "embeddings" / f"pairs-{name}.npy"
    if not path.is_file():
        sampler = training_sampler(training, sources)
        vectors = _made(fingerprinter, sampler, config.bits.n_pairs, config.seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_array(path, vectors)
    return FingerprintPairs(np.load(path, allow_pickle=False))


def _made(fingerprinter: Fingerprinter, sampler: PairSampler, n_pairs: int, seed: int) -> NDArray[np.float32]:
    vectors = np.empty((n_pairs, 2, fingerprinter.dim), np.float32)
    for start in range(0, n_pairs, _AT_ONCE):
        part = vectors[start : start + _AT_ONCE]
        windows, _ = sampler.draw(len(part), np.random.default_rng([seed, start]))
        for row, window in enumerate(windows):
            vector = fingerprinter.encode(fingerprinter.front_end(window[None]))[0]
            part[row % len(part), row // len(part)] = vector
        _log.info("%d of %d pairs of fingerprints", start + len(part), n_pairs)
    return vectors
