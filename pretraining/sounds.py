"""What a run listens to: the training split of a corpus, and what is given beside it."""

import logging
from collections.abc import Collection
from pathlib import Path

import numpy as np

from fingerprinter.augment.chain import Augmenter
from fingerprinter.augment.rooms import simulated_rooms
from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import MIN_NOISE_S, Recordings
from nowplaying_core.audio.corpus import Group
from nowplaying_core.audio.sources import TrainingSources
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig

__all__ = ["build_augmenter", "clip_sampler", "group_shares"]

_log = logging.getLogger(__name__)


def clip_sampler(
    config: PretrainingConfig,
    sources: TrainingSources,
    *,
    split: str = "train",
    min_s: float | None = None,
    without: Collection[Path] = (),
) -> ClipSampler:
    """Return the sampler of a run, over everything of a split; labels are not read.

    Music that was rendered from MIDI is of the ``train`` split.

    Parameters
    ----------
    config : PretrainingConfig
    sources : TrainingSources
    split : str
    min_s : float >= 0, seconds, optional
        Recordings that are shorter are left out, by default those that are shorter than a window.
    without : collection of Path, optional
        Recordings that are left out as well.

    Raises
    ------
    ConfigError
        When a group has no recording that is long enough.
    """
    shortest_s = config.front_end.window_s if min_s is None else min_s
    cache = sources.cache_dir
    groups = [
        (
            Recordings.load(
                [file for file in sources.files(group, split) if file.path not in without], cache, min_s=shortest_s
            ),
            share,
        )
        for group, share in group_shares(config)
    ]
    if split == "train" and (rendered := sources.rendered_files()):
        groups[0] = groups[0][0], config.music_share * config.recordings_share
        recordings = Recordings.load(rendered, cache, min_s=shortest_s)
        groups.append((recordings, config.music_share * (1.0 - config.recordings_share)))
    for item, share in groups:
        _log.info("%d recordings, %.1f h (%.0f %%)", len(item), item.hours, 100 * share)
    noises = [(Recordings.load(sources.files("noise", split), cache, min_s=MIN_NOISE_S), 1.0)]
    return ClipSampler(PairSampler(groups, noises, build_augmenter(config, cache), max_shift_s=0.0))


def group_shares(config: PretrainingConfig) -> list[tuple[Group, float]]:
    """Return the share of clips that are of each group."""
    noise_share = max(0.0, 1.0 - config.music_share - config.speech_share)  # 1 - 0.8 - 0.2 is below 0 in floats
    return [("music", config.music_share), ("speech", config.speech_share), ("noise", noise_share)]


def build_augmenter(config: PretrainingConfig, cache_dir: Path) -> Augmenter:
    """Return what loudspeaker, room, noise and microphone do to a second view, with its simulated rooms."""
    past = round(config.past_s * config.front_end.sample_rate_hz)
    return Augmenter(
        config.augment,
        measured_rooms=np.zeros((0, past), np.float32),
        simulated_rooms=simulated_rooms(
            config.n_simulated_rooms, n_samples=past, seed=config.seed, cache_dir=cache_dir / "rooms"
        ),
        past_samples=past,
        window_samples=config.front_end.window_samples,
    )
