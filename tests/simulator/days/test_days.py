"""Whole days: the published system's wake-ups, paired seeds, energy that adds up, songs that are all accounted for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nowplaying_core.errors import ConfigError
from simulator.days.architectures import Architecture
from simulator.days.day import run_day
from simulator.days.error_rates import published_rates
from simulator.days.findings import findings
from simulator.days.many import AVERAGE, Days, _shared_out, simulate_days
from simulator.days.recognizer_errors import MUSIC, OTHER_SOUND
from simulator.days.record import SongOutcome, record_day
from simulator.days.scenes import load_scenarios
from simulator.days.study import Study
from simulator.days.summary import charge, component_rows, summarise
from simulator.energy.constants import Constant
from simulator.energy.usage import LISTENING
from simulator.phone.events import Answered, State, StateChange

STUDY = Study.load()
SCENARIOS = load_scenarios()


def published_study(**settings: object) -> Study:
    config = replace(STUDY.config, **settings)  # type: ignore[arg-type]
    return replace(STUDY, rates=published_rates(STUDY.rates), config=config)


def test_the_published_detector_wakes_the_average_phone_a_hundred_times_a_day() -> None:
    # Nobody published when its phone leaves a song alone: always until its end, or never, are the two bounds.
    wakes = [
        simulate_days(AVERAGE, published_study(skips_same_song=skips).settings(), 80, seed=3).mean(
            lambda record: record.usage.n_wakes
        )
        for skips in (True, False)
    ]
    assert wakes[0] < 100 < wakes[1]
    assert wakes[0] > 75
    assert wakes[1] < 160


def test_silence_costs_the_detector_alone() -> None:
    days = simulate_days("silence", published_study().settings(), 3)
    assert STUDY.published is not None
    total = charge(days, STUDY.published)
    assert total.mean == pytest.approx(0.4 * 24)
    # Three days are no interval, however alike they are.
    assert total.interval is None
    assert days.latencies_s().shape == (0, 4)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(SCENARIOS)), st.integers(0, 10**6))
def test_a_day_adds_up_whatever_it_brings(name: str, seed: int) -> None:
    run = run_day(SCENARIOS[name], STUDY.settings(), seed)
    record = record_day(name, run)
    assert record.usage.elapsed_s == pytest.approx(86_400)
    for costs in (STUDY.published, STUDY.modelled):
        assert costs is not None
        total = pytest.approx(record.usage.total_mj(costs))
        assert sum(record.usage.by_state_mj(costs).values()) == total
        assert sum(record.usage.by_component_mj(costs).values()) == total
        assert set(record.usage.by_cause_mj(costs)) <= {LISTENING, MUSIC, OTHER_SOUND}
    assert sum(record.song_outcomes.values()) == record.n_songs == sum(song.known for song in run.plan.songs)
    assert record.song_outcomes[SongOutcome.NAMED] == len(record.latencies)
    for latency in record.latencies:
        parts = (latency.detecting_s, latency.waiting_s, latency.filling_s, latency.answering_s)
        assert min(parts) >= 0
        assert latency.answering_s == pytest.approx(STUDY.modelled.answer_s)


def test_the_second_stage_of_a_day_runs_as_often_as_was_measured_for_its_sounds() -> None:
    per_h = {"music": 4000.0, "other": 700.0, "quiet": 0.0}
    constants = {
        kind: Constant(value=one, low=one, high=one, source="test", certainty="P") for kind, one in per_h.items()
    }
    one_stage = replace(
        STUDY,
        models=replace(STUDY.models, second_stage_macs=0.0),
        rates=replace(STUDY.rates, second_stage_per_h={}),
    )
    study = replace(
        one_stage,
        models=replace(STUDY.models, second_stage_macs=6e6),
        rates=replace(STUDY.rates, second_stage_per_h=constants),
    )
    days = {name: study.simulate(name, 2) for name in ("silence", "commuter")}
    (silent, busy) = (one.records[0].usage for one in days.values())
    assert silent.n_second_stage_runs == 0
    assert 0 < busy.n_second_stage_runs < 4000 * busy.listened_s / 3600
    run = run_day(SCENARIOS["commuter"], study.settings(), 5)
    usage = record_day("commuter", run).usage
    other_s = usage.listened_s - run.plan.quiet_s() - run.plan.music_s()
    # The commuter's phone pauses for its own sound only, with which no music is near.
    assert usage.n_second_stage_runs == pytest.approx((4000 * run.plan.music_s() + 700 * other_s) / 3600)
    summary = summarise(days["commuter"], study.published, study.modelled)["modelled"]
    runs = days["commuter"].mean(lambda record: record.usage.n_second_stage_runs)
    expected_mah = study.device.mah(runs * 6e6 * study.device.dsp.pj_per_mac * 1e-9)
    assert summary["components_mah"]["second stage"] == pytest.approx(expected_mah)
    assert any(row[0] == "second stage" for row in component_rows(summary, study.device))
    before = summarise(one_stage.simulate("commuter", 2), one_stage.published, one_stage.modelled)["modelled"]
    assert "second stage" not in before["components_mah"]
    assert summary["mah_per_day"] == pytest.approx(before["mah_per_day"] + expected_mah)


def test_the_phone_rests_between_answers_and_never_listens_while_it_plays() -> None:
    run = run_day(SCENARIOS["commuter"], STUDY.settings(), 5)
    answers = [event for event in run.events if isinstance(event, Answered)]
    assert min(np.diff([event.time_s for event in answers])) >= 60
    quiet = [dwell for dwell in run.plan.dwells if dwell.scene.phone]
    assert quiet
    for dwell in quiet:
        assert not any(dwell.start_s + 5 < event.time_s < dwell.end_s for event in answers)
    paused = [one for one in run.events if isinstance(one, StateChange) and one.after is State.PAUSED]
    assert {event.reason for event in paused} >= {"own_playback"}


def test_the_same_seed_is_the_same_days_on_any_number_of_cores() -> None:
    first = simulate_days(AVERAGE, STUDY.settings(), 20, seed=7)
    assert simulate_days(AVERAGE, STUDY.settings(), 20, seed=7).records == first.records
    assert simulate_days(AVERAGE, STUDY.settings(), 20, seed=7, jobs=2).records == first.records
    assert simulate_days(AVERAGE, STUDY.settings(), 20, seed=8).records != first.records


def test_an_average_is_weighted_by_the_scenarios_shares() -> None:
    days = simulate_days(AVERAGE, STUDY.settings(), 40)
    assert len(days.records) == 40
    by_hand = 0.0
    for name, scenario in SCENARIOS.items():
        own = [record.usage.n_wakes for record in days.records if record.scenario == name]
        by_hand += scenario.share * float(np.mean(own))
    estimate = days.estimate(lambda record: record.usage.n_wakes)
    assert estimate.mean == pytest.approx(by_hand)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.mean < estimate.high
    p5, p95 = estimate.nine_of_ten or (1.0, 0.0)
    assert p5 <= estimate.mean <= p95


def test_times_to_song_are_weighted_as_their_days_are() -> None:
    days = simulate_days(AVERAGE, STUDY.settings(), 10)
    songs = [
        (latency.total_s, weight)
        for weight, record in zip(days.weights.tolist(), days.records, strict=True)
        for latency in record.latencies
    ]
    total = sum(weight for _, weight in songs)
    found = summarise(days, STUDY.published, STUDY.modelled)["time_to_song_s"]
    assert found["n_songs"] == len(songs)
    assert found["mean"] == pytest.approx(sum(weight * time_s for time_s, weight in songs) / total)
    for name, share in (("p5", 0.05), ("p50", 0.5), ("p90", 0.9)):
        quicker = sum(weight for time_s, weight in songs if time_s < found[name]) / total
        as_quick = sum(weight for time_s, weight in songs if time_s <= found[name]) / total
        assert quicker < share <= as_quick + 1e-9


def test_days_of_which_there_is_one_widen_the_interval() -> None:
    """Six kinds of days with one day each and six of another: their differences are chance, not nothing."""
    days = simulate_days(AVERAGE, STUDY.settings(), 40)
    thin = simulate_days(AVERAGE, STUDY.settings(), 10)
    wide, narrow = (
        (one.high or 0.0) - (one.low or 0.0) for one in (of.estimate(lambda r: r.usage.n_wakes) for of in (thin, days))
    )
    assert wide > narrow > 0


@settings(max_examples=30, deadline=None)
@given(st.integers(7, 400))
def test_an_average_has_exactly_as_many_days_as_asked(n_days: int) -> None:
    counts = _shared_out(n_days, {one.name: one.share for one in SCENARIOS.values()})
    assert sum(counts.values()) == n_days
    for name, count in counts.items():
        assert count >= 1
        assert abs(count - n_days * SCENARIOS[name].share) < 1.5


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    """Of many small studies of one kind of day, about 95 % of the intervals hold the mean of all days."""
    many = simulate_days("office-worker", STUDY.settings(), 400, seed=5)
    truth = many.mean(lambda record: record.usage.n_wakes)
    held = 0
    for start in range(0, 400, 10):
        records = many.records[start : start + 10]
        small = Days("office-worker", "Office worker", records, np.full(10, 0.1))
        interval = small.estimate(lambda record: record.usage.n_wakes).interval
        assert interval is not None
        held += interval[0] <= truth <= interval[1]
    assert held >= 34


def test_an_interval_is_students() -> None:
    days = simulate_days("office-worker", STUDY.settings(), 10, seed=2)
    wakes = [record.usage.n_wakes for record in days.records]
    found = days.estimate(lambda record: record.usage.n_wakes).interval
    # 2.262 standard errors for nine degrees of freedom, in every table of Student's distribution.
    margin = 2.26216 * np.std(wakes, ddof=1) / 10**0.5
    assert found == pytest.approx([np.mean(wakes) - margin, np.mean(wakes) + margin], rel=1e-5)


def test_a_summary_says_the_same_as_its_parts() -> None:
    days = simulate_days("office-worker", STUDY.settings(), 10)
    figures = summarise(days, STUDY.published, STUDY.modelled)
    for costs in (figures["published"], figures["modelled"]):
        assert sum(costs["parts_mah"].values()) == pytest.approx(costs["mah_per_day"])
        assert sum(costs["components_mah"].values()) == pytest.approx(costs["mah_per_day"])
        assert costs["battery_percent_per_day"] == pytest.approx(100 * costs["mah_per_day"] / 2700)
        # 1 mAh at 4.0 V is 14.4 J.
        assert costs["j_per_day"] == pytest.approx(14.4 * costs["mah_per_day"])
    parts = figures["time_to_song_s"]["mean_parts"]
    assert sum(parts.values()) == pytest.approx(figures["time_to_song_s"]["mean"])


def test_the_first_findings_say_what_the_always_on_current_leaves_open() -> None:
    days = simulate_days("silence", STUDY.settings(), 1)
    summary = summarise(days, STUDY.published, STUDY.modelled)
    always_on = summary["modelled"]["always_on"]
    # Silence is the always-on side alone: 24 h at both ends of the range, less what the smaller network saves, and the
    # few runs of the second stage, which a range of that current does not move.
    saved_ma = 0.4 - STUDY.modelled.total_listening_mw / 4.0
    second_stage_percent = STUDY.device.battery_percent(days.records[0].usage.second_stage_mj(STUDY.modelled))
    assert 0 < second_stage_percent < 0.01
    for end in ("low", "high"):
        expected = 24 * (always_on[f"{end}_ma"] - saved_ma) / 27 + second_stage_percent
        assert always_on[f"{end}_battery_percent"] == pytest.approx(expected, rel=1e-6)
    said = " ".join(findings(summary, "A phone"))
    assert "from 0.2 to 0.6 mA, makes it 0.18 to 0.53 %" in said
    always_on |= {"low_ma": 0.398711, "high_ma": 0.401081}  # a measured range has no round ends
    assert "from 0.399 to 0.401 mA" in " ".join(findings(summary, "A phone"))
    stated = STUDY.stating({"dsp.detector_ma": 0.3})
    summary = summarise(days, stated.published, stated.modelled)
    assert summary["modelled"]["always_on"] is None
    assert "always-on current alone" not in " ".join(findings(summary, "A phone"))


def test_a_better_detector_names_more_and_wakes_for_nothing_less() -> None:
    def days(**rates: object) -> Days:
        changed = replace(STUDY, rates=replace(STUDY.rates, **rates))  # type: ignore[arg-type]
        return simulate_days(AVERAGE, changed.settings(), 20, seed=2)

    few, none = (
        {
            sound: replace(one, value=part * one.value, low=0.0)
            for sound, one in STUDY.rates.false_triggers_per_h.items()
        }
        for part in (0.1, 0.0)
    )
    base, deaf, calm = days(), days(recall_factor=0.3), days(false_triggers_per_h=few)
    assert deaf.recall() < base.recall()
    assert deaf.song_outcomes()[SongOutcome.GATE] > base.song_outcomes()[SongOutcome.GATE]
    # Beside false triggers there are wake-ups that begin in music and end outside of it.
    calmest = days(false_triggers_per_h=none)
    rest, *wakes = (one.mean(lambda record: record.usage.n_wakes_for(OTHER_SOUND)) for one in (calmest, calm, base))
    assert 0 < wakes[0] - rest < 0.2 * (wakes[1] - rest)


@pytest.mark.parametrize(
    ("name", "n_days", "jobs", "seed"),
    [
        *(("nonsense", 3, 1, 1), (AVERAGE, 0, 1, 1), (AVERAGE, 6, 1, 1), (AVERAGE, 7.5, 1, 1), (AVERAGE, 7, 0, 1)),
        *(("silence", 2_000_000, 1, 1), ("silence", float("nan"), 1, 1), ("silence", 1, 1, -1)),
    ],
)
def test_refuses_impossible_studies(name: str, n_days: int, jobs: int, seed: int) -> None:
    with pytest.raises(ConfigError, match="expected"):
        simulate_days(name, STUDY.settings(), n_days, jobs=jobs, seed=seed)


def test_a_microphone_that_wakes_for_sound_saves_the_quiet_time_and_names_as_many() -> None:
    base, waking = (simulate_days(AVERAGE, STUDY.settings(one), 14) for one in _two("baseline", "vad-microphone"))
    assert [record.song_outcomes for record in base.records] == [record.song_outcomes for record in waking.records]
    record = simulate_days("silence", STUDY.settings(), 1).records[0]
    costs = _two("baseline", "vad-microphone")[1].costs
    # Silence costs 0.02 mA instead of the whole always-on side.
    assert STUDY.device.mah(record.usage.total_mj(costs)) == pytest.approx(24 * 0.02, rel=0.1)
    for one in waking.records:
        assert 0 < one.usage.quiet_s <= 86_400
        assert bool(one.usage.quiet_s == 86_400) is (one.scenario == "silence")
        assert sum(one.usage.by_state_mj(costs).values()) == pytest.approx(one.usage.total_mj(costs))
        assert sum(one.usage.by_component_mj(costs).values()) == pytest.approx(one.usage.total_mj(costs))


def _two(*names: str) -> list[Architecture]:
    known = {one.name: one for one in STUDY.architectures()}
    return [known[name] for name in names]


def test_a_detector_that_is_on_now_and_then_costs_less_and_finds_later_or_never() -> None:
    base, cycled = (simulate_days(AVERAGE, STUDY.settings(one), 20) for one in _two("baseline", "duty-cycled"))
    mah = [
        charge(days, one.costs).mean for days, one in zip((base, cycled), _two("baseline", "duty-cycled"), strict=True)
    ]
    assert mah[1] < 0.6 * mah[0]
    assert 0.5 * base.recall() < cycled.recall() <= base.recall() + 0.02
    # Wake-ups that begin in music and end outside of it are there without a false trigger too.
    never = {sound: replace(one, value=0.0, low=0.0) for sound, one in STUDY.rates.false_triggers_per_h.items()}
    calm = replace(STUDY, rates=replace(STUDY.rates, false_triggers_per_h=never))
    rests = [simulate_days(AVERAGE, calm.settings(one), 20) for one in _two("baseline", "duty-cycled")]
    wakes = [days.mean(lambda record: record.usage.n_wakes_for(OTHER_SOUND)) for days in (base, cycled, *rests)]
    assert 0 < wakes[1] - wakes[3] < 0.7 * (wakes[0] - wakes[2])
