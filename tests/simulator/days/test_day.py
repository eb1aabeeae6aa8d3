"""One day with pauses: what the phone does not hear then, what it finds after them, and what it counts."""

from dataclasses import replace

import pytest

from detector.network import WINDOW_S
from simulator.days.day import run_day
from simulator.days.record import SongOutcome, record_day
from simulator.days.scenes import load_scenarios
from simulator.days.study import Study
from simulator.phone.events import State, StateChange

STUDY = Study.load()
SCENARIOS = load_scenarios()
WAKING_MICROPHONE = next(one for one in STUDY.architectures() if one.name == "vad-microphone")


def test_the_battery_saver_and_bedtime_pause_the_phone() -> None:
    hungry = replace(STUDY, assumptions=STUDY.assumptions.with_value("awake_percent_per_h", 7.0))
    run = run_day(SCENARIOS["music-fan"], replace(hungry.settings(), bedtime_h=(2.0, 7.0)), 1)
    reasons = {event.reason for event in run.events if isinstance(event, StateChange)}
    assert {"battery_saver", "bedtime"} <= reasons
    assert min(percent for _, percent in run.charge) < 15


def test_quiet_while_the_phone_is_paused_costs_nothing() -> None:
    settings = replace(STUDY.settings(WAKING_MICROPHONE), bedtime_h=(0.0, 12.0))
    usage = record_day("silence", run_day(SCENARIOS["silence"], settings, 1)).usage
    assert usage.listened_s == usage.quiet_s == pytest.approx(43_200)
    asleep = record_day("office-worker", run_day(SCENARIOS["office-worker"], settings, 1))
    awake = record_day("office-worker", run_day(SCENARIOS["office-worker"], replace(settings, bedtime_h=None), 1))
    # Half of the day, with most of the night's quiet.
    assert 0 < asleep.usage.quiet_s < 0.6 * awake.usage.quiet_s


def test_music_that_goes_on_after_a_pause_is_found_then() -> None:
    settings = STUDY.settings()
    songs = [song for song in run_day(SCENARIOS["music-fan"], settings, 3).plan.songs if song.end_s - song.start_s > 90]
    n_found = 0
    for song in songs[:20]:
        resumed_s = song.start_s + 20
        paused = replace(settings, bedtime_h=(resumed_s / 3600 - 0.2, resumed_s / 3600))
        captures_s = [
            event.time_s - resumed_s
            for event in run_day(SCENARIOS["music-fan"], paused, 3).events
            if isinstance(event, StateChange)
            and event.after is State.CAPTURING
            and resumed_s - 1e-6 < event.time_s < song.end_s
        ]
        # Not before the detector's first window, which is empty when the phone listens again, is full.
        assert min(captures_s, default=WINDOW_S) > WINDOW_S - 1e-6
        n_found += bool(captures_s)
    assert n_found >= 15


def test_a_song_that_the_phone_may_hardly_hear_was_not_listened_to() -> None:
    settings = STUDY.settings()
    plan = run_day(SCENARIOS["music-fan"], settings, 3).plan
    long_enough = [song for song in plan.songs if song.known and song.end_s - song.start_s > 30]
    for song in long_enough[:5]:
        until_s = song.end_s - 0.5
        run = run_day(
            SCENARIOS["music-fan"], replace(settings, bedtime_h=(song.start_s / 3600 - 0.1, until_s / 3600)), 3
        )
        alone = replace(run, plan=replace(run.plan, songs=[song]))
        outcomes = record_day("music-fan", alone).song_outcomes
        assert outcomes[SongOutcome.NOT_LISTENED] == 1
