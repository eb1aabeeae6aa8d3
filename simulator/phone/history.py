"""The songs that were heard, newest last, as the phone's history screen shows them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError, CorruptArtifactError
from simulator.phone.events import Event, EventKind

__all__ = ["HeardSong", "History"]

_SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardSong:
    """A song and when it was heard.

    Attributes
    ----------
    track_id, title, artist : str
    first_heard_s, last_heard_s : float, seconds since the source began
    offset_s : float, seconds
        Place in the song at which the buffer began when the song was recognized first.
    score : float in [0, 1]
        The best of its recognitions.
    n_recognitions : int >= 1
    """

    track_id: str
    title: str
    artist: str
    first_heard_s: float
    last_heard_s: float
    offset_s: float
    score: float
    n_recognitions: int = 1


class History:
    """A list of heard songs in which a song recognized again soon after itself dwells one entry.

    Parameters
    ----------
    merge_within_s : float >= 0, seconds
        The same song again within this time of its last recognition is the same hearing.
    limit : int >= 1
        Entries kept; the oldest go first.
    """

    def __init__(self, merge_within_s: float = 600.0, limit: int = 10_000) -> None:
        if merge_within_s < 0 or limit < 1:
            message = f"history: expected merge_within_s >= 0 and limit >= 1, found {merge_within_s} and {limit}"
            raise ConfigError(message)
        self.merge_within_s = merge_within_s
        self.limit = limit
        self._songs: list[HeardSong] = []

    def __len__(self) -> int:
        return len(self._songs)

    def __iter__(self) -> Iterator[HeardSong]:
        return iter(self._songs)

    @property
    def last(self) -> HeardSong | None:
        """The newest entry, or None."""
        return self._songs[-1] if self._songs else None

    def add(self, event: Event) -> HeardSong:
        """Add a recognition, or note it on the newest entry when that is the same song heard just before.

        Parameters
        ----------
        event : Event of kind RECOGNIZED

        Returns
        -------
        HeardSong
            The new or changed entry.
        """
        if event.kind is not EventKind.RECOGNIZED:
            message = f"history: expected a recognition, found an event of kind {event.kind}"
            raise ConfigError(message)
        data, last = event.data, self.last
        is_same = last is not None and last.track_id == data["track_id"]
        if last is not None and is_same and event.time_s - last.last_heard_s <= self.merge_within_s:
            self._songs[-1] = replace(
                last,
                last_heard_s=event.time_s,
                score=max(last.score, float(data["score"])),
                n_recognitions=last.n_recognitions + 1,
            )
        else:
            self._songs.append(_song(event.time_s, data))
            del self._songs[: -self.limit]
        return self._songs[-1]

    def save(self, path: Path) -> None:
        """Write the history as JSON, all or nothing."""
        songs = [asdict(song) for song in self._songs]
        write_json(path, {"kind": "history", "schema_version": _SCHEMA_VERSION, "songs": songs})

    @classmethod
    def load(cls, path: Path, merge_within_s: float = 600.0, limit: int = 10_000) -> "History":
        """Read a saved history.

        Raises
        ------
        CorruptArtifactError
            When the file is not a history of this schema.
        """
        history = cls(merge_within_s, limit)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["kind"] != "history" or stored["schema_version"] != _SCHEMA_VERSION:
                message = f"{path}: expected a history of schema {_SCHEMA_VERSION}, found {stored['kind']!r}"
                raise CorruptArtifactError(message)
            history._songs = [HeardSong(**song) for song in stored["songs"]][-limit:]
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path}: expected a readable history ({error!r}); remove the file to begin a new one"
            raise CorruptArtifactError(message) from error
        return history


def _song(time_s: float, data: Mapping[str, Any]) -> HeardSong:
    return HeardSong(
        track_id=data["track_id"],
        title=data["title"],
        artist=data["artist"],
        first_heard_s=time_s,
        last_heard_s=time_s,
        offset_s=float(data["offset_s"]),
        score=float(data["score"]),
    )
