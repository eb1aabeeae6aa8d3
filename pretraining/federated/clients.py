"""Whose sound is whose: recordings dealt to clients source by source, unevenly, and some kept by the server."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinter.training.pairs import PairSampler
from fingerprinter.training.recordings import Recordings
from nowplaying_core.audio.cache import map_cached
from nowplaying_core.audio.corpus import Group
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.clips import ClipSampler
from pretraining.config.run import PretrainingConfig
from pretraining.federated.config import FederationConfig
from pretraining.sounds import build_augmenter, group_shares

__all__ = ["DEALT", "Sound", "deal", "federate"]

_log = logging.getLogger(__name__)

DEALT: Final[tuple[Group, ...]] = ("music", "speech", "noise")
_MOST_DEALS: Final = 100


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording: its group, where it comes from, and its samples as int16, which stay in the cache's file."""

    group: Group
    source: str
    pcm: NDArray[np.int16]


def federate(
    config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources, *, min_s: float
) -> tuple[ClipSampler, list[ClipSampler]]:
    """Return what the server and each client draw from, read from the cache as it is drawn; labels are not read.

    Recordings of less than ``min_s`` seconds are nobody's.

    The noises that degrade a second view are the server's, as an application would bring them along.
    """
    sounds = [
        Sound(group, file.source, map_cached(file.path, sources.cache_dir))
        for group in DEALT
        for file in sources.files(group, "train")
    ]
    sounds = [sound for sound in sounds if len(sound.pcm) >= round(min_s * config.front_end.sample_rate_hz)]
    owners = deal(
        [(sound.group, sound.source) for sound in sounds], federation, np.random.default_rng([config.seed, 0])
    )
    kept = [sound for sound, owner in zip(sounds, owners, strict=True) if owner < 0]
    noises = Recordings.join([sound.pcm for sound in kept if sound.group == "noise"])
    augmenter = build_augmenter(config, sources.cache_dir)

    def sampler(owned: Sequence[Sound]) -> ClipSampler:
        of_group: dict[Group, list[NDArray[np.int16]]] = defaultdict(list)
        for sound in owned:
            of_group[sound.group].append(sound.pcm)
        groups = [(Recordings.join(of_group[group]), share) for group, share in group_shares(config) if of_group[group]]
        return ClipSampler(PairSampler(groups, [(noises, 1.0)], augmenter, max_shift_s=0.0))

    clients = []
    for number in range(federation.n_clients):
        owned = [sound for sound, owner in zip(sounds, owners, strict=True) if owner == number]
        counts = ", ".join(f"{sum(one.group == group for one in owned)} {group}" for group in DEALT)
        _log.debug("client %d: %s, of %d sources", number, counts, len({one.source for one in owned}))
        clients.append(sampler(owned))
    return sampler(kept), clients


def deal(
    recordings: Sequence[tuple[str, str]], federation: FederationConfig, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the number of each recording's client, -1 for the server.

    Parameters
    ----------
    recordings : sequence of (group, source)
    federation : FederationConfig
    rng : numpy.random.Generator

    Notes
    -----
    Each source's recordings go to clients by shares drawn from a Dirichlet distribution, after Hsu et al. 2019
    (arXiv 1909.06335), where the classes are what sources are here. It is dealt again until every client has
    something; where a hundred deals do not do that, each client without takes a recording from the one with the most.

    Raises
    ------
    ConfigError
        When there are fewer recordings than clients.
    """
    by_source: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, key in enumerate(recordings):
        by_source[key].append(index)
    of_server = _of_server(recordings, federation.server_share, rng)
    n_left = len(recordings) - len(of_server)
    if n_left < federation.n_clients:
        message = f"{n_left} recordings that are not the server's cannot be dealt to {federation.n_clients} clients: "
        raise ConfigError(message + "take fewer clients")
    concentrations = np.full(federation.n_clients, federation.concentration)
    owners = np.full(len(recordings), -1, np.int64)
    for _ in range(_MOST_DEALS):
        for indices in by_source.values():
            owners[indices] = rng.choice(federation.n_clients, size=len(indices), p=rng.dirichlet(concentrations))
        owners[of_server] = -1
        if len(set(owners[owners >= 0])) == federation.n_clients:
            return owners
    for client in set(range(federation.n_clients)) - set(owners.tolist()):
        richest = np.argmax(np.bincount(owners[owners >= 0], minlength=federation.n_clients))
        owners[rng.choice(np.flatnonzero(owners == richest))] = client
    return owners


def _of_server(recordings: Sequence[tuple[str, str]], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the server's recordings group by group, at least one of each."""
    groups = np.array([group for group, _ in recordings])
    drawn = [
        rng.permutation(np.flatnonzero(groups == group))[: max(1, round(share * np.sum(groups == group)))]
        for group in np.unique(groups)
    ]
    return np.concatenate(drawn)
