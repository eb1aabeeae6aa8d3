"""The live view shows sound and events, and its battery only ever empties."""

import io
import time
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from rich.console import Console
from rich.live import Live

from detector.second_stage import SecondStage
from nowplaying_core.audio import to_int16
from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.phone.events import Answer, Answered, MusicProbability, State, StateChange
from simulator.reports.live import LiveView
from tests.simulator.bench import build_bench, build_costs, known_song, make_sound

_, MODELLED = build_costs()


def shown(view: LiveView) -> str:
    console = Console(width=120, file=io.StringIO())
    console.print(view.render())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_is_shown_from_start_to_end() -> None:
    screen = io.StringIO()
    with Live(console=Console(file=screen, force_terminal=True, width=120), auto_refresh=False) as live:
        view = LiveView(MODELLED, live)
        bench = build_bench(known_song("a"))
        charges = []
        for chunk in np.split(make_sound((10, 0.001), (30, 0.5)), 80):
            view.on_sound(chunk)
            for event in bench.phone.feed(to_int16(chunk)):
                view.on_event(event)
            charges.append(view.battery_percent)
    text = shown(view)
    for expected in ("Google Pixel 2", "0:40.0", "Song a", "cooling down", "1 wake-ups", "music", "-6 dBFS"):
        assert expected in text
    assert charges == sorted(charges, reverse=True)
    assert 99 < charges[-1] < 100


def test_silence_shows_no_song_and_an_empty_level() -> None:
    view = LiveView(MODELLED)
    view.on_sound(np.zeros(1600, np.float32))
    text = shown(view)
    assert "no song yet" in text
    assert "-70 dBFS" in text


def test_a_wake_up_costs_what_it_costs() -> None:
    view = LiveView(MODELLED)
    before = view.battery_percent
    view.on_event(Answered(time_s=1.0, asked_at_s=1.0, answer=Answer(buffer_s=8.0)))
    spent_mj = (before - view.battery_percent) / 100 * 2700 * 3600 * 4.0
    assert spent_mj == pytest.approx(1000 * MODELLED.wake_j)


def test_runs_of_the_second_stage_empty_the_battery_also_over_a_reset() -> None:
    class Stage:
        n_runs = 2  # of an earlier sound

    stage, costs = Stage(), replace(MODELLED, second_stage_mj=250.0)
    view = LiveView(costs, second_stage=cast("SecondStage", stage))
    for stage.n_runs in (2, 5, 5, 0, 1, 4):
        view.on_event(
            MusicProbability(time_s=1.0, probability=0.5, smoothed=0.5, gate_is_open=False, music_since_s=None)
        )
    spent_mj = (100.0 - view.battery_percent) / 100 * 2700 * 3600 * 4.0
    assert spent_mj == pytest.approx(7 * 250.0)


def test_titles_are_never_read_as_markup() -> None:
    view = LiveView(MODELLED)
    view.on_event(StateChange(time_s=0.0, before=State.OFF, after=State.LISTENING, reason="test"))
    match = Match(track=Track(track_id=16 * "a", title="[bold]x[/bold]"), offset_s=1.0, score=0.9)
    view.on_event(Answered(time_s=1.0, asked_at_s=1.0, answer=Answer(buffer_s=8.0, match=match)))
    assert "[bold]x[/bold]" in shown(view)


def test_sound_can_be_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    slept_s: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "sleep", slept_s.append)
    view = LiveView(MODELLED, speed=20.0)
    for _ in range(10):
        view.on_sound(np.zeros(1600, np.float32))
    # On a clock that stands still, a second of sound ends a twentieth of a second ahead.
    assert slept_s[-1] == pytest.approx(1 / 20)
