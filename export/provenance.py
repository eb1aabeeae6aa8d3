"""Describe the recordings behind a model for its manifest: number, sources, licences."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nowplaying_core.audio.corpus import GROUPS, CorpusFile, Group, read_corpus
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.settings import require_given

__all__ = ["describe_training"]


def describe_training(
    run_dir: Path,
    sources: TrainingSources,
    *,
    groups: Sequence[Group] = GROUPS,
    learned: Callable[[list[CorpusFile]], list[CorpusFile]] = list,
) -> dict[str, Any]:
    """Describe the ``train`` split of a corpus, and what was given beside it.

    Parameters
    ----------
    run_dir : Path
        Of the training.
    sources : TrainingSources
        As it was given.
    groups : sequence of str
        That it reads.
    learned : callable
        Which recordings of a group's split were learned from; all by default.

    Returns
    -------
    dict
        ``data``, ``extra_data`` (by group: number of files, licences, sources) and ``n_rendered_midi``.

    Raises
    ------
    ConfigError
        When the run was given other recordings, as far as their numbers tell.
    """
    require_given(run_dir, sources.counts())
    data = {group: _summary(learned(read_corpus(sources.corpus, group, "train"))) for group in groups}
    extra = {group: _summary(files) for group in groups if (files := sources.extra_files(group))}
    return {"data": data, "extra_data": extra, "n_rendered_midi": len(sources.rendered_files())}


def _summary(files: list[CorpusFile]) -> dict[str, Any]:
    licences = Counter(file.licence or "not stated" for file in files)
    sources = sorted({file.source for file in files if file.source})
    return {"n_files": len(files), "licences": dict(licences.most_common()), "sources": sources}
