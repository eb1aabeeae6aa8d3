"""The folders that training takes its sound from: a corpus, MIDI rendered to audio, and extra recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nowplaying_core.audio.corpus import GROUPS, CorpusFile, Group, read_corpus, recordings_if_any
from nowplaying_core.errors import MissingPathError

__all__ = ["TrainingSources"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSources:
    """Folders of audio.

    Attributes
    ----------
    corpus : Path
        Folder with ``music``, ``noise``, ``speech`` and ``rir``, each with or without a table.
    cache_dir : Path
        For decoded audio and simulated rooms.
    rendered_midi : Path or None
        Folder of music rendered from MIDI files.
    extra_data : Path or None
        Folder with any of the folders ``music``, ``noise`` and ``speech``: more recordings to train on.
    """

    corpus: Path
    cache_dir: Path
    rendered_midi: Path | None = None
    extra_data: Path | None = None

    def corpus_only(self) -> "TrainingSources":
        """Return the corpus without what is for training only."""
        return replace(self, rendered_midi=None, extra_data=None)

    def require(self, *groups: Group, splits: Sequence[str | None] = ("train", "dev")) -> None:
        """Refuse folders that lack a group of a split, before a run makes its own folder; errors of `read_corpus`."""
        for split in splits:
            for group in groups:
                self.files(group, split)
        self.rendered_files()

    def counts(self, split: str | None = "train") -> dict[str, int]:
        """Return how many recordings of each kind there are to learn from, for a run's record."""
        own: dict[str, int] = {group: len(recordings_if_any(self.corpus, group, split)) for group in GROUPS}
        extra = {f"extra {group}": len(self.extra_files(group)) for group in GROUPS}
        return {**own, **extra, "rendered MIDI": len(self.rendered_files())}

    def files(self, group: Group, split: str | None) -> list[CorpusFile]:
        """List one group of a split; extra recordings belong to the ``train`` split."""
        extra = self.extra_files(group) if split == "train" else []
        return read_corpus(self.corpus, group, split) + extra

    def rendered_files(self) -> list[CorpusFile]:
        """List the music rendered from MIDI files; empty where no folder is given."""
        return [] if self.rendered_midi is None else read_corpus(self.rendered_midi, "music")

    def extra_files(self, group: Group) -> list[CorpusFile]:
        """List the extra recordings of a group, whose folder needs no table; empty where there is none.

        Raises
        ------
        MissingPathError
            When a folder of extra recordings is given that has no group.
        """
        if self.extra_data is None:
            return []
        if not any((self.extra_data / one).is_dir() for one in GROUPS):
            message = (
                f"{self.extra_data}: expected a folder with any of {', '.join(GROUPS)}, found none; check the path"
            )
            raise MissingPathError(message)
        folder = self.extra_data / group
        return read_corpus(folder, group) if folder.is_dir() else []
