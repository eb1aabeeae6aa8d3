"""What a manifest says of the recordings behind a model: how many, from where, under which licences."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nowplaying_core.audio import find_audio
from nowplaying_core.audio.corpus import GROUPS, CorpusFile, Group, read_corpus, read_further

__all__ = ["describe_training"]


def describe_training(
    corpus: Path, *, renderings: Path | None = None, further: Path | None = None, groups: Sequence[Group] = GROUPS
) -> dict[str, Any]:
    """Describe the ``train`` split of a corpus, and what was given beside it.

    Parameters
    ----------
    corpus, renderings, further : Path
        As the training was given.
    groups : sequence of str
        That it reads.

    Returns
    -------
    dict
        ``data``, ``further`` (by group: number of files, licences, sources) and ``n_renderings``.
    """
    data = {group: _summary(read_corpus(corpus, group, "train")) for group in groups}
    beside = {group: _summary(files) for group in groups if (files := read_further(further, group))}
    return {"data": data, "further": beside, "n_renderings": len(find_audio([renderings])) if renderings else 0}


def _summary(files: list[CorpusFile]) -> dict[str, Any]:
    licences = Counter(file.licence or "not stated" for file in files)
    sources = sorted({file.source for file in files if file.source})
    return {"n_files": len(files), "licences": dict(licences.most_common()), "sources": sources}
