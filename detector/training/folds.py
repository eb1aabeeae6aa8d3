"""Folds of recordings: those of one source stay together, because they are not independent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from detector.training.config import TrainingConfig
from detector.training.pools import SoundPools
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.errors import ConfigError

__all__ = ["HeldOut", "fold_pools", "folds_of", "is_collection", "source_group"]

_GROUPS: Final = ("music", "noise", "speech")


def is_collection(source: str, files: Sequence[CorpusFile], n_folds: int) -> bool:
    """Return whether a source has more than a fold's share of all files, as a collection from everywhere has."""
    return sum(file.source == source for file in files) > len(files) / n_folds


def source_group(file: CorpusFile, *, is_collection: bool) -> str:
    """Return what a recording must not be parted from.

    Parameters
    ----------
    file : CorpusFile
    is_collection : bool
        Whether the source is a collection of recordings from everywhere, as ESC-10 is of freesound.org: then it is the
        title up to its last hyphen, which there is the original recording, and elsewhere the artist.
    """
    return f"{file.source}: {file.title.rpartition('-')[0].strip() or file.title}" if is_collection else file.source


def folds_of(files: Sequence[CorpusFile], n_folds: int) -> list[int]:
    """Return every recording's fold: groups from large to small, each into the fold that is smallest so far.

    Parameters
    ----------
    files : sequence of CorpusFile
    n_folds : int >= 2
    """
    collections = {source for source in {file.source for file in files} if is_collection(source, files, n_folds)}
    groups: dict[str, list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        groups[source_group(file, is_collection=file.source in collections)].append(number)
    sizes, folds = [0] * n_folds, [0] * len(files)
    for _, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        smallest = sizes.index(min(sizes))
        sizes[smallest] += len(members)
        for number in members:
            folds[number] = smallest
    return folds


def fold_pools(pools: SoundPools, n_folds: int) -> list[SoundPools]:
    """Share music, noise and speech out among folds; rooms, rendered MIDI and extra recordings belong to all.

    Parameters
    ----------
    pools : SoundPools
    n_folds : int >= 2

    Raises
    ------
    ConfigError
        When there are too few sources for so many folds.
    """
    folds = {name: folds_of(getattr(pools, name), n_folds) for name in _GROUPS}
    for name, numbers in folds.items():
        if len(set(numbers)) < n_folds:
            message = (
                f"{name}: expected recordings of at least {n_folds} sources for {n_folds} folds, found "
                f"{len(set(numbers))}; take fewer folds or a larger corpus"
            )
            raise ConfigError(message)

    def chosen(name: str, number: int) -> list[CorpusFile]:
        return [file for file, fold in zip(getattr(pools, name), folds[name], strict=True) if fold == number]

    return [
        replace(pools, music=chosen("music", number), noise=chosen("noise", number), speech=chosen("speech", number))
        for number in range(n_folds)
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """The part of the ``train`` split that a training leaves out, so that a gate can be chosen on it.

    Attributes
    ----------
    fold : int in [0, n_folds)
    n_folds : int in [2, 1000]
        Of :func:`folds_of`, over the ``train`` recordings of each group, in the order of the corpus's tables.

    Raises
    ------
    ConfigError
        When a number is out of its range.
    """

    fold: int
    n_folds: int

    def __post_init__(self) -> None:
        if not (2 <= self.n_folds <= 1_000 and 0 <= self.fold < self.n_folds):
            message = f"held out: expected a fold from 0 on of at least 2 folds, found {self.fold} of {self.n_folds}"
            raise ConfigError(message)

    @classmethod
    def of(cls, training: TrainingConfig) -> Self | None:
        """Return what a training leaves out; None where it learns from the whole split."""
        fold, n_folds = training.held_out_fold, training.held_out_of
        return None if fold is None else cls(fold=fold, n_folds=n_folds)

    def __str__(self) -> str:
        return f"fold {self.fold} of {self.n_folds}"

    def left_out(self, files: Sequence[CorpusFile]) -> list[CorpusFile]:
        """Return the recordings of a group's ``train`` split that are held out."""
        return [file for file, fold in zip(files, folds_of(files, self.n_folds), strict=True) if fold == self.fold]

    def learned(self, files: Sequence[CorpusFile]) -> list[CorpusFile]:
        """Return the others, which training learns from."""
        return [file for file, fold in zip(files, folds_of(files, self.n_folds), strict=True) if fold != self.fold]

    def training_pools(self, pools: SoundPools) -> SoundPools:
        """Return the pools of the ``train`` split without what is held out, measured rooms included.

        Raises
        ------
        ConfigError
            When nothing is left of a group.
        """
        return self._parts(pools, {name: self.learned(getattr(pools, name)) for name in (*_GROUPS, "rooms")})

    def stream_pools(self, pools: SoundPools) -> SoundPools:
        """Return what is held out, for streams: without rendered MIDI and extra recordings, which training learns from.

        Raises
        ------
        ConfigError
            When nothing of a group is held out.
        """
        parts = {name: self.left_out(getattr(pools, name)) for name in (*_GROUPS, "rooms")}
        return replace(self._parts(pools, parts), rendered_midi=(), extra_data={}, stretched_share=0.0)

    def _parts(self, pools: SoundPools, parts: dict[str, list[CorpusFile]]) -> SoundPools:
        for name in _GROUPS:
            if not parts[name]:
                message = (
                    f"{name}: expected recordings of more sources for {self} on both sides, found "
                    f"{len(getattr(pools, name))} recordings of too few; take fewer folds or a larger corpus"
                )
                raise ConfigError(message)
        music, noise, speech, rooms = (parts[name] for name in (*_GROUPS, "rooms"))
        return replace(pools, music=music, noise=noise, speech=speech, rooms=rooms)
