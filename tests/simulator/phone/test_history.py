"""The history: one entry per hearing, saved and read back."""

from pathlib import Path

import pytest

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from simulator.phone.events import Event, EventKind
from simulator.phone.history import History


def _heard(time_s: float, track: str, score: float = 0.9) -> Event:
    data = {"track_id": track, "title": track.upper(), "artist": "somebody", "offset_s": 3.0, "score": score}
    return Event(time_s, EventKind.RECOGNIZED, data)


def test_the_same_song_soon_again_is_one_hearing() -> None:
    history = History(merge_within_s=100)
    for time_s, track, score in [(0, "a", 0.9), (90, "a", 0.95), (180, "a", 0.7), (300, "a", 0.8), (310, "b", 0.8)]:
        history.add(_heard(time_s, track, score))
    assert [(one.track_id, one.n_recognitions) for one in history] == [("a", 3), ("a", 1), ("b", 1)]
    first = next(iter(history))
    assert (first.first_heard_s, first.last_heard_s, first.score) == (0, 180, 0.95)
    assert history.last is not None
    assert history.last.title == "B"


def test_oldest_entries_go_first() -> None:
    history = History(limit=2)
    for number in range(4):
        history.add(_heard(number, f"song{number}"))
    assert [one.track_id for one in history] == ["song2", "song3"]


def test_saved_and_read_back(tmp_path: Path) -> None:
    history = History()
    history.add(_heard(1.0, "a"))
    history.add(_heard(2.0, "b"))
    history.save(tmp_path / "history.json")
    assert list(History.load(tmp_path / "history.json")) == list(history)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"kind": "other"}', '{"kind": "history", "schema_version": 1, "songs": [{}]}']
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CorruptArtifactError, match=r"history\.json"):
        History.load(path)


def test_only_recognitions_are_songs() -> None:
    with pytest.raises(ConfigError, match="unknown"):
        History().add(Event(0.0, EventKind.UNKNOWN, {}))
    with pytest.raises(ConfigError, match="limit"):
        History(limit=0)
