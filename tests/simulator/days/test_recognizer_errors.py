"""The looks of one wake-up on a simulated day: an early one brings the name sooner, and no more names."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.days.day import run_day
from simulator.days.plan import draw_day
from simulator.days.recognizer_errors import OTHER_SOUND, RecognizerErrorModel
from simulator.days.record import record_day
from simulator.days.scenes import load_scenarios
from simulator.days.study import Study
from simulator.days.summary import summarise
from simulator.phone.events import ANSWER, Answered, Looked

STUDY = Study.load()
SCENARIOS = load_scenarios()
PLAN = draw_day(SCENARIOS["commuter"], STUDY.assumptions, np.random.default_rng(3))
SONGS = [song for song in PLAN.songs if song.known and song.end_s - song.start_s > 20]


def _model(seed: int) -> RecognizerErrorModel:
    architecture = STUDY.settings().architecture
    # Harder music, so that many looks find nothing.
    rates = replace(STUDY.rates, accepted=STUDY.rates.accepted.at(0.6))
    return RecognizerErrorModel(PLAN, rates, architecture, 0.5, np.random.default_rng(seed))


def test_two_looks_name_exactly_what_the_last_alone_would_have_named() -> None:
    assert SONGS
    once, twice = _model(1), _model(1)
    n_early = n_named = 0
    for song in 20 * SONGS:
        alone = once.answer(song.start_s + 8.0)
        early = twice.answer(song.start_s + 3.0, 3.0)
        last = early if early.match is not None else twice.answer(song.start_s + 8.0)
        assert (last.match is None) == (alone.match is None)
        n_early += early.match is not None
        n_named += last.match is not None
    assert 0 < n_early < n_named < 20 * len(SONGS)


def test_a_second_look_stops_nine_of_ten_false_wake_ups_however_often_they_are_looked_at() -> None:
    architecture = next(one for one in STUDY.architectures() if one.name == "second-look")
    model = RecognizerErrorModel(PLAN, STUDY.rates.without_names(), architecture, 0.5, np.random.default_rng(1))
    quiet_s = next(dwell.start_s for dwell in PLAN.dwells if not list(PLAN.songs_between(dwell.start_s, dwell.end_s)))
    works = []
    for _ in range(4_000):
        looks = [model.answer(quiet_s + 20.0, 3.0), model.answer(quiet_s + 25.0)]
        assert all(look.cause == OTHER_SOUND for look in looks)
        works.append({look.work for look in looks})
    assert all(len(work) == 1 for work in works)
    assert np.mean([work == {ANSWER} for work in works]) == pytest.approx(0.1, abs=0.02)


def test_an_early_look_is_at_the_newest_seconds_alone() -> None:
    song = SONGS[0]
    early = _model(1).answer(song.start_s + 3.0, 3.0)
    assert (early.buffer_s, early.song) == (3.0, song.number)
    named = next(one for one in (_model(seed).answer(song.start_s + 3.0, 3.0) for seed in range(100)) if one.is_right)
    assert named.match is not None
    assert named.match.offset_s == pytest.approx(song.offset_s)


def test_a_day_counts_and_prices_early_looks() -> None:
    run = run_day(SCENARIOS["commuter"], STUDY.settings(), 5)
    n_looks = sum(isinstance(event, Looked) for event in run.events)
    record = record_day("commuter", run)
    assert record.usage.n_early_looks == n_looks > 0
    assert record.usage.n_wakes == sum(isinstance(event, Answered) for event in run.events)
    without = replace(record.usage, early_looks={})
    more_mj = record.usage.total_mj(STUDY.modelled) - without.total_mj(STUDY.modelled)
    assert more_mj == pytest.approx(1000 * n_looks * STUDY.modelled.wake_j)
    summary = summarise(STUDY.simulate("commuter", 2), STUDY.published, STUDY.modelled)
    assert summary["early_looks_per_day"] > 0
