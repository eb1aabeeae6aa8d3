"""A day's plan covers the day, its music never overlaps, and people meet about as much of it as assumed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.days import plan
from simulator.days.plan import draw_day
from simulator.days.scenes import Block, Scenario, load_assumptions, load_scenarios, load_scenes

ASSUMPTIONS = load_assumptions()
SCENARIOS = load_scenarios()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SCENARIOS)), st.integers(0, 10**6))
def test_a_day_has_no_gaps_and_no_two_songs_at_once(name: str, seed: int) -> None:
    drawn = draw_day(SCENARIOS[name], ASSUMPTIONS, np.random.default_rng(seed))
    assert drawn.dwells[0].start_s == 0
    assert drawn.dwells[-1].end_s == pytest.approx(86_400)
    assert all(first.end_s == second.start_s for first, second in pairwise(drawn.dwells))
    assert all(first.end_s <= second.start_s + 1e-6 for first, second in pairwise(drawn.songs))
    for song in drawn.songs:
        (dwell,) = [one for one in drawn.dwells if one.start_s <= song.start_s < one.end_s]
        assert dwell.scene is song.scene
        assert dwell.start_s <= song.start_s < song.end_s <= dwell.end_s + 1e-6
        assert not song.scene.phone
        assert song.end_s - song.start_s <= song.duration_s - song.offset_s + 1e-6


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(SCENARIOS)), st.integers(0, 10**6), st.floats(1, 86_399))
def test_music_and_quiet_of_a_day_are_those_of_its_parts(name: str, seed: int, parted_s: float) -> None:
    drawn = draw_day(SCENARIOS[name], ASSUMPTIONS, np.random.default_rng(seed))
    for seconds in (drawn.music_s, drawn.quiet_s):
        assert seconds(0, parted_s) + seconds(parted_s, 86_400) == pytest.approx(seconds())
    assert 0 <= drawn.music_s() + drawn.quiet_s() <= 86_400 + 1e-6
    own_sound = [dwell for dwell in drawn.dwells if dwell.scene.phone]
    assert sum(drawn.quiet_s(dwell.start_s, dwell.end_s) for dwell in own_sound) == 0


def test_songs_between_finds_what_overlaps() -> None:
    drawn = draw_day(SCENARIOS["music-fan"], ASSUMPTIONS, np.random.default_rng(1))
    for start_s, end_s in [(0, 86_400), (36_000, 36_100), (70_000.5, 70_008.5)]:
        expected = [song for song in drawn.songs if song.start_s < end_s and song.end_s > start_s]
        assert list(drawn.songs_between(start_s, end_s)) == expected


def test_silence_is_silent_and_a_fan_has_more_music_than_others() -> None:
    def hours(name: str) -> float:
        days = [draw_day(SCENARIOS[name], ASSUMPTIONS, np.random.default_rng(seed)) for seed in range(20)]
        return float(np.mean([day.music_s() for day in days])) / 3600

    assert hours("silence") == 0
    assert hours("music-fan") > 2 * hours("office-worker") > 0


def test_the_average_day_holds_as_much_music_as_people_report() -> None:
    # 12 hours a week of the less engaged to 21 of the highly engaged (Greasley and Lamont 2011).
    mean_h = (
        sum(
            scenario.share
            * np.mean([draw_day(scenario, ASSUMPTIONS, np.random.default_rng(seed)).music_s() for seed in range(30)])
            for scenario in SCENARIOS.values()
        )
        / 3600
    )
    assert 12 / 7 * 0.8 < mean_h < 21 / 7


def test_more_music_is_more_music() -> None:
    few, many = (
        draw_day(SCENARIOS["cafe-worker"], ASSUMPTIONS.with_value("music_factor", factor), np.random.default_rng(2))
        for factor in (0.3, 1.5)
    )
    assert many.music_s() > few.music_s()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 0.95), st.floats(1.0, 5.0), st.integers(0, 10**6))
def test_a_scene_has_its_share_of_music(share: float, songs_in_row: float, seed: int) -> None:
    scene = replace(load_scenes()["cafe"], name="test", music_share=share, songs_in_row=songs_in_row, dwell_min=1e6)
    block = Block(start_h=0.0, jitter_h=0.0, charging=False, weights={"test": 1.0})
    scenario = Scenario(name="test", title="test", share=1.0, blocks=(block,))
    assumptions = replace(ASSUMPTIONS, day_sd=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "load_scenes", lambda: {"test": scene})
        days = [draw_day(scenario, assumptions, np.random.default_rng([seed, day])) for day in range(40)]
    # A stretch of music and the gap after it take this long, so forty days hold so many of them.
    cycle_s = songs_in_row * assumptions.song_s / max(share, 1e-9)
    n_cycles = 40 * 86_400 / cycle_s
    error = 5 * share * (1 - share) * np.sqrt(2 / n_cycles) + 0.01
    assert np.mean([day.music_s() for day in days]) / 86_400 == pytest.approx(share, abs=error)
    if share == 0:
        assert all(day.music_s() == 0 for day in days)
