"""The JSON form of events, on which scripts depend."""

from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.phone.events import Answer, Answered, MusicProbability, Skipped, State, StateChange

TRACK = Track(track_id=16 * "a", title="Song", artist="Nobody", duration_s=40.0, source="song.wav")


def test_a_change_of_state() -> None:
    event = StateChange(time_s=1.23456, before=State.OFF, after=State.COOLING_DOWN, reason="answered")
    assert event.to_dict() == {
        "time_s": 1.235,
        "event": "state",
        "from": "off",
        "to": "cooling_down",
        "reason": "answered",
    }


def test_a_probability() -> None:
    event = MusicProbability(
        time_s=4.46, probability=0.123456, smoothed=0.654321, gate_is_open=True, music_since_s=3.82
    )
    assert event.to_dict() == {
        "time_s": 4.46,
        "event": "probability",
        "probability": 0.1235,
        "smoothed": 0.6543,
        "gate_is_open": True,
    }


def test_an_answer_with_and_without_a_song() -> None:
    unknown = Answer(buffer_s=8.0, latency_ms=40.0, n_fingerprints=12)
    fields = {"time_s": 10.5, "latency_ms": 40.0, "n_fingerprints": 12, "buffer_s": 8.0, "asked_at_s": 10.0}
    event = Answered(time_s=10.5, asked_at_s=10.0, answer=unknown)
    assert event.to_dict() == fields | {"event": "unknown"}
    match = Match(track=TRACK, offset_s=-0.123456, score=0.987654321)
    named = Answer(buffer_s=8.0, match=match, latency_ms=40.0, n_fingerprints=12)
    song = {"track_id": 16 * "a", "title": "Song", "artist": "Nobody", "source": "song.wav"}
    expected = fields | song | {"event": "recognized", "offset_s": -0.123456, "score": 0.987654321}
    assert Answered(time_s=10.5, asked_at_s=10.0, answer=named).to_dict() == expected


def test_skipped_music() -> None:
    skipped = {"time_s": 2.0, "event": "skipped", "reason": "cool_down"}
    assert Skipped(time_s=2.0, reason="cool_down").to_dict() == skipped
    same_song = Skipped(time_s=2.0, reason="same_song", until_s=9.5)
    assert same_song.to_dict() == skipped | {"reason": "same_song", "until_s": 9.5}
