"""How far an indexing run is, and what became of its files."""

from dataclasses import dataclass
from pathlib import Path

from nowplaying_core.errors import NowPlayingError
from nowplaying_core.text import clock, html_table

__all__ = ["IndexProgress", "IndexReport"]


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexProgress:
    """How far a run is.

    Attributes
    ----------
    n_done, n_total : int
        Files, with those that failed or were done before.
    seconds_of_audio : float
        Fingerprinted by this run.
    elapsed_s : float
    """

    n_done: int
    n_total: int
    seconds_of_audio: float
    elapsed_s: float

    @property
    def times_real_time(self) -> float:
        """Seconds of audio per second of work."""
        return self.seconds_of_audio / max(self.elapsed_s, 1e-9)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexReport:
    """The fate of every file.

    Attributes
    ----------
    added : list of (Path, str)
        Files whose songs are in the database now, and their track ids.
    skipped : list of (Path, str)
        Files with the same sound as another, and that one's source.
    failed : list of (Path, NowPlayingError)
        Files that cannot be read, and why.
    n_unchanged : int
        Files whose songs were in the database already, under the same name or one that is gone.
    n_updated : int
        Songs whose metadata were changed: the file was moved, or its tags were read again.
    n_resumed : int
        Files that an interrupted run had finished.
    seconds_of_audio : float
        Of the added songs.
    elapsed_s : float

    Examples
    --------
    >>> import nowplaying
    >>> print(nowplaying.index("music", "report.npdb"))  # doctest: +ELLIPSIS
    3 songs added, 0 duplicates, 0 failed, ...
    """

    added: list[tuple[Path, str]]
    skipped: list[tuple[Path, str]]
    failed: list[tuple[Path, NowPlayingError]]
    n_resumed: int
    seconds_of_audio: float
    elapsed_s: float
    n_unchanged: int = 0
    n_updated: int = 0

    def __str__(self) -> str:
        added, copies = len(self.added), len(self.skipped)
        songs, duplicates = "song" if added == 1 else "songs", "duplicate" if copies == 1 else "duplicates"
        counts = f"{added} {songs} added, {copies} {duplicates}, {len(self.failed)} failed"
        if self.n_unchanged:
            counts += f", {self.n_unchanged} already in the database"
        if self.n_updated:
            counts += f" ({self.n_updated} of them updated)"
        return f"{counts}, {clock(self.seconds_of_audio)} of audio"

    def _repr_html_(self) -> str:
        row = [len(self.added), len(self.skipped), len(self.failed), self.n_unchanged, clock(self.seconds_of_audio)]
        headings = ("added", "duplicates", "failed", "already there", "audio")
        return html_table(headings, [[str(one) for one in row]], numbers=range(5))
