"""The songs of a long recording: answers given again and again, merged into a list with beginnings and ends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ondevice_db.answer import Match, Recognition
from ondevice_db.places import QUERY_S

__all__ = ["ListedSong", "track_list"]

_MOST_UNKNOWN = 2  # answers in a row within a song that may be unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedSong:
    """A song of a long recording.

    Attributes
    ----------
    start_s, end_s : float, seconds
        Of the first and the last query that named it, to the end of the latter; good to the distance of the queries.
    match : Match
        Its surest answer.
    n_answers : int
    """

    start_s: float
    end_s: float
    match: Match
    n_answers: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        track = self.match.track
        return {
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "track_id": track.track_id,
            "title": track.title,
            "artist": track.artist,
            "score": round(self.match.score, 4),
            "n_answers": self.n_answers,
        }


def track_list(answers: Iterable[tuple[float, Recognition]], duration_s: float | None = None) -> list[ListedSong]:
    """Merge answers, in the order of time, into the songs of a recording, which end with it where its length is given.

    Answers that name the same song belong together where no other song and at most two unknown answers lie between. A
    song ends where the next one begins.
    """
    songs: list[ListedSong] = []
    n_unknown = 0
    for start_s, answer in answers:
        song = answer.match
        if song is None:
            n_unknown += 1
            continue
        last = songs[-1] if songs else None
        if last is not None and n_unknown <= _MOST_UNKNOWN and last.match.track.track_id in _ids(song):
            surest = song if song.score > last.match.score and song.track == last.match.track else last.match
            songs[-1] = ListedSong(
                start_s=last.start_s, end_s=start_s + QUERY_S, match=surest, n_answers=last.n_answers + 1
            )
        else:
            if last is not None and last.end_s > start_s:
                songs[-1] = ListedSong(start_s=last.start_s, end_s=start_s, match=last.match, n_answers=last.n_answers)
            songs.append(ListedSong(start_s=start_s, end_s=start_s + QUERY_S, match=song, n_answers=1))
        n_unknown = 0
    if songs and duration_s is not None and songs[-1].end_s > duration_s:
        songs[-1] = replace(songs[-1], end_s=duration_s)
    return songs


def _ids(song: Match) -> set[str]:
    return {song.track.track_id, *(track.track_id for track, _ in song.also)}
