"""The history: the recognized songs, newest last, as the phone's history screen shows them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ondevice_db.format.track import Track
from simulator.phone.events import Answered, Event

__all__ = ["HistoryEntry", "history_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """A song and when it was recognized.

    Attributes
    ----------
    track : Track
    first_s, last_s : float, seconds since the source began
    score : float in [0, 1]
        The best of its recognitions.
    n_recognitions : int >= 1
    """

    track: Track
    first_s: float
    last_s: float
    score: float
    n_recognitions: int = 1


def history_of(events: Iterable[Event], merge_within_s: float = 600.0) -> list[HistoryEntry]:
    """Return the songs that a phone's events name.

    Parameters
    ----------
    events : iterable of Event
    merge_within_s : float >= 0, seconds
        The same song again within this time of its last recognition stays one entry.
    """
    entries: list[HistoryEntry] = []
    for event in events:
        if not isinstance(event, Answered) or event.answer.match is None:
            continue
        match, last = event.answer.match, entries[-1] if entries else None
        if last is not None and last.track == match.track and event.time_s - last.last_s <= merge_within_s:
            score, n = max(last.score, match.score), last.n_recognitions + 1
            entries[-1] = replace(last, last_s=event.time_s, score=score, n_recognitions=n)
        else:
            entry = HistoryEntry(track=match.track, first_s=event.time_s, last_s=event.time_s, score=match.score)
            entries.append(entry)
    return entries
