"""The demo end to end, with the shipped models: right names, right places, and nothing else named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from nowplaying.errors import ConfigError
from simulator.demo import index_demo_songs, run_demo
from simulator.events import EventKind
from simulator.play import simulate_scene
from simulator.run import SimulationResult, simulate_source
from simulator.verdict import Outcome


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.npdb"
    assert index_demo_songs(path) == 12
    return path


@pytest.fixture(scope="module")
def evening(database: Path) -> SimulationResult:
    return simulate_scene("evening", database, seed=1)


@pytest.fixture
def console() -> Iterator[Console]:
    with Path(os.devnull).open("w") as nowhere:
        yield Console(file=nowhere, width=160, record=True)


def test_the_demo_succeeds_and_says_what_it_heard(console: Console, tmp_path: Path) -> None:
    assert run_demo(console, report=tmp_path / "demo.html")
    text = console.export_text()
    for expected in ("Indexed 12 songs", "Winter Blues", "All right", "mAh", "ATTRIBUTION.md"):
        assert expected in text
    assert (tmp_path / "demo.html").stat().st_size > 10_000


def test_every_sound_gets_what_it_should(evening: SimulationResult) -> None:
    outcomes = {one.sound.recording: one.outcome for one in evening.findings}
    for known in ("winter-blues", "martian-cowboy", "marhaba"):
        assert outcomes[known] is Outcome.RECOGNIZED
    assert outcomes["the-dark-amulet"] in {Outcome.RIGHTLY_UNKNOWN, Outcome.IGNORED}
    assert outcomes["party-sector"] is Outcome.NOT_LISTENED
    assert evening.wall_s < evening.duration_s


def test_a_phone_without_the_songs_names_none_of_them(tmp_path: Path, evening: SimulationResult) -> None:
    """The demo can fail: a database with other songs must leave every song of the scene unknown."""
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.indexing import index_paths
    from simulator.recordings import demo_recordings

    heard = {one.sound.recording for one in evening.findings}
    others = [one.path for name, one in demo_recordings().items() if one.indexed and name not in heard]
    index_paths(others, tmp_path / "others.npdb", Fingerprinter.from_model())
    result = simulate_scene("evening", tmp_path / "others.npdb", seed=1)
    assert result.recognitions == []
    assert result.account.n_wakes >= 3


def test_a_file_is_heard_like_a_scene(database: Path) -> None:
    from simulator.recordings import demo_recordings

    told = []
    song = demo_recordings()["low-fi"]
    result = simulate_source(str(song.path), database, on_event=told.append)
    assert [event.data["title"] for event in result.recognitions] == [song.title]
    (event,) = result.recognitions
    assert event.data["offset_s"] == pytest.approx(event.time_s - event.data["buffer_s"], abs=0.6)
    assert told == list(result.events)
    assert told[-1].kind is EventKind.STATE


def test_an_unknown_scene_is_refused(database: Path) -> None:
    with pytest.raises(ConfigError, match="evening"):
        simulate_scene("no-such-scene", database)
