"""Folds for cross-validation: recordings of one source stay together, because they are not independent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from detector.training.pools import SoundPools
from nowplaying_core.audio.corpus import CorpusFile
from nowplaying_core.errors import ConfigError

__all__ = ["fold_pools", "folds_of", "source_group"]


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

    A source with more than its share of all files is taken for a collection.

    Parameters
    ----------
    files : sequence of CorpusFile
    n_folds : int >= 2
    """
    by_source: dict[str, int] = defaultdict(int)
    for file in files:
        by_source[file.source] += 1
    limit = len(files) / n_folds
    groups: dict[str, list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        groups[source_group(file, is_collection=by_source[file.source] > limit)].append(number)
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
    shared = {name: list(getattr(pools, name)) for name in ("music", "noise", "speech")}
    folds = {name: folds_of(files, n_folds) for name, files in shared.items()}
    for name, numbers in folds.items():
        if len(set(numbers)) < n_folds:
            message = (
                f"{name}: expected recordings of at least {n_folds} sources for {n_folds} folds, found "
                f"{len(set(numbers))}; take fewer folds or a larger corpus"
            )
            raise ConfigError(message)

    def chosen(name: str, number: int) -> list[CorpusFile]:
        return [file for file, fold in zip(shared[name], folds[name], strict=True) if fold == number]

    return [
        replace(pools, music=chosen("music", number), noise=chosen("noise", number), speech=chosen("speech", number))
        for number in range(n_folds)
    ]
