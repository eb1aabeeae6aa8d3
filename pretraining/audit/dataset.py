"""What the attacker has: windows of known sound, with the fingerprints that the audited model gives them."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import write_arrays
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.audit.config import AuditConfig
from pretraining.diffusion.distance import fingerprints
from pretraining.diffusion.patches import draw_images
from pretraining.probe.windows import read_windows
from pretraining.tasks.task import Example

__all__ = ["AttackDataset", "gather"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AttackDataset:
    """Images and fingerprints.

    Attributes
    ----------
    images : ndarray of float16, shape (n, n_mels, n_frames, 1)
    vectors : ndarray of float32, shape (n, dim)
        Unit rows, as a flat database stores them.
    n_words : int
        The last so many are single words in silence.
    """

    images: NDArray[np.float16]
    vectors: NDArray[np.float32]
    n_words: int

    def draw(self, n: int, words_share: float, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the numbers of n windows, drawn with replacement; about a share of them words."""
        first_word = len(self.images) - self.n_words
        chosen = rng.integers(first_word, size=n)
        if self.n_words:
            words = rng.uniform(size=n) < words_share
            chosen[words] = rng.integers(first_word, len(self.images), size=int(words.sum()))
        return chosen


def gather(
    config: AuditConfig,
    model: Fingerprinter,
    sources: TrainingSources,
    words: Sequence[Example],
    path: Path,
    *,
    without: Collection[Path] = (),
) -> AttackDataset:
    """Return the dataset of a run, from its file if it has been gathered before.

    Parameters
    ----------
    config : AuditConfig
    model : Fingerprinter
        Which is audited.
    sources : TrainingSources
        Of which the ``train`` split is used.
    words : sequence of Example
        Single words of the ``train`` split.
    path : Path
        Of the dataset, an ``.npz``.
    without : collection of Path
        Recordings that the attacker does not know.

    Raises
    ------
    ConfigError
        When the file holds other words.
    """
    if not path.is_file():
        front_end = FrontEndConfig(**model.folder.manifest["front_end"])
        (images,) = draw_images(config.sounds(front_end), sources, "train", (config.n_windows,), without=without)
        if words:
            spoken = read_windows(words, front_end, cache_dir=sources.cache_dir, most_windows=1)
            images = np.concatenate([images, spoken.images])
        _log.info("%d windows to learn from, %d of them single words", len(images), len(words))
        arrays: dict[str, Any] = {
            "images": images.astype(np.float16),
            "vectors": fingerprints(model, images),
            "n_words": np.array(len(words)),
        }
        write_arrays(path, arrays)
    with np.load(path, allow_pickle=False) as kept:
        if (n_words := int(kept["n_words"])) != len(words):
            message = f"{path}: holds {n_words} single words, expected {len(words)}; choose another run folder"
            raise ConfigError(message)
        return AttackDataset(kept["images"], kept["vectors"], n_words)
