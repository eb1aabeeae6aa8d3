"""The history: a song recognized again soon stays one entry."""

from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.phone.events import Answer, Answered, Event, State, StateChange
from simulator.phone.history import history_of


def _answered(time_s: float, letter: str | None, score: float = 0.9) -> Answered:
    match = None
    if letter is not None:
        match = Match(track=Track(track_id=16 * letter, title=letter.upper()), offset_s=3.0, score=score)
    return Answered(time_s=time_s, asked_at_s=time_s, answer=Answer(buffer_s=8.0, match=match))


def test_the_same_song_soon_again_is_one_entry() -> None:
    songs = [(0, "a", 0.9), (90, "a", 0.95), (180, "a", 0.7), (300, "a", 0.8), (310, "b", 0.8)]
    entries = history_of([_answered(*one) for one in songs], merge_within_s=100)
    assert [(one.track.title, one.n_recognitions) for one in entries] == [("A", 3), ("A", 1), ("B", 1)]
    assert (entries[0].first_s, entries[0].last_s, entries[0].score) == (0, 180, 0.95)


def test_only_recognitions_are_songs() -> None:
    change = StateChange(time_s=0.0, before=State.OFF, after=State.LISTENING, reason="switched on")
    events: list[Event] = [change, _answered(1.0, "a"), _answered(2.0, None), _answered(3.0, "a")]
    assert [(one.first_s, one.last_s) for one in history_of(events)] == [(1.0, 3.0)]
