"""Log-mel images to test decoders on: random windows of a split, the same for every decoder."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.audio.sources import TrainingSources
from pretraining.config.run import PretrainingConfig
from pretraining.sounds import clip_sampler

__all__ = ["draw_images"]

_BATCH = 256


def draw_images(
    config: PretrainingConfig,
    sources: TrainingSources,
    split: str,
    counts: tuple[int, ...],
    *,
    without: Collection[Path] = (),
) -> list[NDArray[np.float32]]:
    """Draw sets of images from one split, music, speech and noise in the shares of a run's settings.

    Recordings in ``without`` are passed over.

    Returns
    -------
    list of ndarray of float32, shape (count, n_mels, n_frames, 1)
        The sets share recordings; windows are drawn alone.
    """
    clips, log_mel = clip_sampler(config, sources, split=split, without=without), LogMel(config.front_end)
    rng = np.random.default_rng([config.seed, len(split)])
    sets = []
    for count in counts:
        parts = [
            np.asarray(log_mel(clips.slices(np.zeros((min(_BATCH, count - at), 1), np.int64), rng)[:, 0]), np.float32)
            for at in range(0, count, _BATCH)
        ]
        sets.append(np.concatenate(parts))
    return sets
