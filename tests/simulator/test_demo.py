"""The demo end to end, with the shipped models: right names, right places, and nothing else named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from nowplaying_core.errors import ConfigError
from simulator.demo import index_demo_songs, run_demo
from simulator.phone.events import Event, EventKind
from simulator.play import simulate_scene
from simulator.run import Setup, simulate_source
from simulator.scenes.recordings import demo_recordings


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.npdb"
    assert index_demo_songs(path) == 12
    return path


@pytest.fixture
def console() -> Iterator[Console]:
    with Path(os.devnull).open("w") as nowhere:
        yield Console(file=nowhere, width=160, record=True)


def test_the_demo_succeeds_and_says_what_it_heard(console: Console, tmp_path: Path) -> None:
    assert run_demo(console, report=tmp_path / "demo.html")
    text = console.export_text()
    for expected in ("Indexed 12 songs", "Winter Blues", "Martian Cowboy", "Marhaba", "mAh", "ATTRIBUTION.md"):
        assert expected in text
    assert "All right: 3 recognized" in text
    assert "1 not listened to" in text
    assert "Party Sector by" not in text
    assert (tmp_path / "demo.html").stat().st_size > 10_000


def test_a_song_outside_the_database_is_unknown(database: Path) -> None:
    song = demo_recordings()["jrpg-tavern"]
    assert not song.indexed
    result = simulate_source(str(song.path), Setup(database=database))
    assert result.recognitions == []
    assert [event.kind for event in result.events if event.kind is EventKind.UNKNOWN] == [EventKind.UNKNOWN]
    assert result.account.n_wakes == 1


def test_a_file_is_heard_like_a_scene(database: Path) -> None:
    told: list[Event] = []
    song = demo_recordings()["low-fi"]
    result = simulate_source(str(song.path), Setup(database=database), on_event=told.append)
    assert [event.data["title"] for event in result.recognitions] == [song.title]
    (event,) = result.recognitions
    assert event.data["offset_s"] == pytest.approx(event.data["asked_at_s"] - event.data["buffer_s"], abs=0.6)
    assert told == list(result.events)
    assert told[-1].kind is EventKind.STATE


def test_an_unknown_scene_is_refused(database: Path) -> None:
    with pytest.raises(ConfigError, match="evening"):
        simulate_scene("no-such-scene", Setup(database=database))
