"""The demo end to end, with the shipped models: right names, right places, and nothing else named."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nowplaying_core import artifacts
from nowplaying_core.errors import ConfigError
from simulator.demo import index_demo_songs, run_demo
from simulator.phone.events import Event, StateChange
from simulator.phone_setup import Setup
from simulator.play import simulate_scene
from simulator.run import simulate_source
from simulator.scenes.recordings import demo_recordings
from tests.simulator.bench import answers_of


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.npdb"
    assert index_demo_songs(path) == 12
    return path


@pytest.fixture
def console() -> Iterator[Console]:
    with Path(os.devnull).open("w") as nowhere:
        yield Console(file=nowhere, width=160, record=True)


def test_the_demo_names_every_song(console: Console, tmp_path: Path) -> None:
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
    result = simulate_source(str(song.path), Setup.open(database))
    assert result.recognitions == []
    assert [event.kind for event in answers_of(result.events)] == ["unknown"]
    assert result.usage.n_wakes == 1


def test_a_file_is_recognized_like_a_scene(database: Path) -> None:
    seen: list[Event] = []
    song = demo_recordings()["low-fi"]
    result = simulate_source(str(song.path), Setup.open(database), on_event=seen.append)
    (event,) = result.recognitions
    assert event.answer.match is not None
    assert event.answer.match.track.title == song.title
    assert event.answer.match.offset_s == pytest.approx(event.asked_at_s - event.answer.buffer_s, abs=0.6)
    assert seen == list(result.events)
    assert isinstance(seen[-1], StateChange)


def test_models_and_databases_are_checked_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    check = artifacts.check_file

    def counted(path: Path, record: Mapping[str, Any]) -> None:
        checked.append(path.name)
        check(path, record)

    monkeypatch.setattr("nowplaying_core.manifest.check_file", counted)
    simulate_source(str(demo_recordings()["rain"].path), Setup.open(database))
    assert "detector.tflite" in checked
    assert "encoder.tflite" in checked
    assert len(checked) == len(set(checked))


def test_an_unknown_scene_is_refused(database: Path) -> None:
    with pytest.raises(ConfigError, match="evening"):
        simulate_scene("no-such-scene", Setup.open(database))
