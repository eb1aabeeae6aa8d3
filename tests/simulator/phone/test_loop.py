"""Several looks at a wake-up: an early look that finds nothing is no answer, and loses nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nowplaying_core.errors import ConfigError
from ondevice_db.answer import Query, Recognition
from ondevice_db.match.match import Ranking
from simulator.energy.usage import Usage
from simulator.phone.conditions import Condition, PauseReason
from simulator.phone.events import Answered, Event, Looked, State, StateChange
from simulator.phone.history import history_of
from tests.simulator.bench import Bench, answers_of, build_bench, build_costs, known_song, make_sound, unknown_song

QUIET, LOUD = 0.001, 0.5
SONG = make_sound((10, QUIET), (30, LOUD), (80, QUIET))


def _looks_of(events: list[Event]) -> list[Looked]:
    return [event for event in events if isinstance(event, Looked)]


def _states(events: list[Event]) -> list[State]:
    return [event.after for event in events if isinstance(event, StateChange)]


def _woken_at_s(events: list[Event]) -> float:
    return next(event.time_s for event in events if isinstance(event, StateChange) and event.after is State.CAPTURING)


def test_the_first_look_is_at_once_and_at_the_music_alone() -> None:
    phone = build_bench(known_song("a"), early_looks_s=(2.0, 5.0))
    events = phone.listen(SONG)
    (answer,) = answers_of(events)
    assert answer.asked_at_s == _woken_at_s(events)
    assert not _looks_of(events)
    (buffer,) = phone.recognizer.buffers
    # The ring holds eight seconds by then. The music began at 10 s, about when the loop takes it to have begun.
    assert len(buffer) / 16_000 == answer.answer.buffer_s == pytest.approx(answer.asked_at_s - 10.0, abs=0.7)
    assert np.all(np.abs(buffer) > 0.05)
    assert [song.track.title for song in history_of(events)] == ["Song a"]


def test_a_look_that_finds_nothing_is_no_answer_and_the_capture_goes_on() -> None:
    once = build_bench(known_song("a")).listen(SONG)
    phone = build_bench(unknown_song(), known_song("a"), early_looks_s=(2.0,))
    events = phone.listen(SONG)
    (look,), (answer,) = _looks_of(events), answers_of(events)
    assert look.time_s == _woken_at_s(events) == _woken_at_s(once)
    assert look.to_dict()["event"] == "looked"
    assert answer.match == known_song("a").match
    # The last look is the one that there would have been without the early one.
    assert answer.asked_at_s == answers_of(once)[0].asked_at_s
    assert len(phone.recognizer.buffers[1]) == 8 * 16_000
    listening, capturing, recognizing = State.LISTENING, State.CAPTURING, State.RECOGNIZING
    expected = [listening, capturing, recognizing, capturing, recognizing, State.COOLING_DOWN, listening, State.OFF]
    assert _states(events) == expected


def test_an_early_look_names_a_song_only_with_ten_times_the_odds() -> None:
    def with_threshold(threshold: float) -> Recognition:
        ranking = Ranking(candidates=(), best=None, evidence=None, threshold=threshold, n_scanned=0)
        query = Query(start_s=0.0, embeddings=np.zeros((0, 96), np.float32), match=ranking)
        return replace(known_song("a"), query=query)  # its score is 0.9, so its odds are 9

    for threshold, n_looks in ((0.4, 0), (0.6, 1)):
        events = build_bench(with_threshold(threshold), early_looks_s=(2.0,)).listen(SONG)
        assert len(_looks_of(events)) == n_looks
        # At the last look the threshold itself counts, which the recognizer has applied.
        assert [event.match for event in answers_of(events)] == [known_song("a").match]


def test_looks_come_as_the_music_grows_and_late_ones_are_one() -> None:
    events = build_bench(unknown_song(), early_looks_s=(1.0, 2.0, 5.5)).listen(SONG)
    first, second = _looks_of(events)
    assert second.answer.buffer_s == pytest.approx(5.5, abs=0.011)
    assert second.asked_at_s - first.asked_at_s == pytest.approx(5.5 - first.answer.buffer_s, abs=0.011)
    # A look less than a second before the last one is left out.
    assert len(_looks_of(build_bench(unknown_song(), early_looks_s=(2.0, 7.5)).listen(SONG))) == 1


def test_a_look_that_takes_long_leaves_out_those_that_it_passes() -> None:
    events = build_bench(unknown_song(), early_looks_s=(2.0, 4.0, 6.0), answer_s=3.0).listen(SONG)
    assert len(_looks_of(events)) < len(
        _looks_of(build_bench(unknown_song(), early_looks_s=(2.0, 4.0, 6.0)).listen(SONG))
    )
    times_s = [event.asked_at_s for event in events if isinstance(event, Looked | Answered)]
    assert min(np.diff(times_s)) >= 3.0


def test_early_looks_neither_lengthen_the_rest_nor_count_as_unknown() -> None:
    settings: dict[str, float] = {"cool_down_s": 10.0, "back_off_factor": 2.0, "longest_rest_s": 35.0}
    plain, early = (
        build_bench(unknown_song(), early_looks_s=looks_s, **settings).listen(make_sound((130, LOUD)))
        for looks_s in ((), (2.0, 5.0))
    )
    assert _looks_of(early)
    assert [event.time_s for event in answers_of(early)] == [event.time_s for event in answers_of(plain)]


def test_each_look_costs_as_much_as_an_answer() -> None:
    usage = Usage.of_events(build_bench(unknown_song(), early_looks_s=(2.0, 5.0)).listen(SONG))
    assert (usage.n_wakes, usage.n_early_looks) == (1, 2)
    once = Usage.of_events(build_bench(unknown_song()).listen(SONG))
    assert (once.n_wakes, once.n_early_looks) == (1, 0)
    for costs in build_costs():
        assert costs is not None
        more_mj = usage.total_mj(costs) - once.total_mj(costs)
        assert more_mj == pytest.approx(2 * 1000 * costs.wake_j, rel=1e-6)
        assert sum(usage.by_component_mj(costs).values()) == pytest.approx(usage.total_mj(costs))


def test_a_pause_between_looks_ends_the_capture_without_a_rest() -> None:
    woken_s = _woken_at_s(build_bench(unknown_song()).listen(SONG))
    call = Condition(reason=PauseReason.CALL, start_s=woken_s + 0.5, end_s=woken_s + 3)
    phone = build_bench(unknown_song(), known_song("a"), early_looks_s=(2.0,), conditions=(call,))
    events = phone.listen(SONG)
    (answer,) = answers_of(events)
    # The phone listens anew right after the call; nothing from before it is asked about.
    assert answer.match is not None
    assert woken_s + 3 < answer.asked_at_s < woken_s + 13
    assert answer.asked_at_s - answer.answer.buffer_s >= woken_s + 3 - 0.011


def test_a_call_during_an_early_look_waits_for_it() -> None:
    woken_s = _woken_at_s(build_bench(unknown_song()).listen(SONG))
    call = Condition(reason=PauseReason.CALL, start_s=woken_s + 0.5, end_s=woken_s + 30)
    events = build_bench(unknown_song(), early_looks_s=(2.0,), conditions=(call,), answer_s=2.0).listen(SONG)
    assert [event.time_s for event in _looks_of(events)] == [pytest.approx(woken_s + 2.0)]
    assert _states(events)[2:4] == [State.RECOGNIZING, State.PAUSED]
    assert not answers_of(events)


@pytest.mark.parametrize("answer_s", [0.0, 0.5])
def test_sound_that_ends_between_looks_or_during_one_is_looked_up_whole(answer_s: float) -> None:
    woken_s = _woken_at_s(build_bench(unknown_song()).listen(SONG))
    for more_s in (0.2, 1.0):
        sound = SONG[: round((woken_s + more_s) * 16_000)]
        phone = build_bench(unknown_song(), known_song("a"), early_looks_s=(2.0,), answer_s=answer_s)
        events = phone.listen(sound)
        assert len(_looks_of(events)) == 1
        assert [event.match for event in answers_of(events)] == [known_song("a").match]
        assert len(phone.recognizer.buffers[1]) == 8 * 16_000
        assert _states(events)[-2:] == [State.COOLING_DOWN, State.OFF]


PARTS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([QUIET, LOUD])), min_size=1, max_size=6)
LOOKS_S = st.lists(st.integers(1, 15), max_size=4, unique=True).map(lambda halves: tuple(h / 2 for h in sorted(halves)))
ANSWERS = st.lists(st.sampled_from([known_song("a"), unknown_song()]), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(PARTS, LOOKS_S, ANSWERS, st.sampled_from([0.0, 0.4, 3.0]), st.integers(0, 60))
def test_no_wake_has_more_looks_than_allowed_and_rests_begin_after_the_last(
    parts: list[tuple[int, float]],
    looks_s: tuple[float, ...],
    answers: list[Recognition],
    answer_s: float,
    call_s: int,
) -> None:
    def bench() -> Bench:
        call = Condition(reason=PauseReason.CALL, start_s=float(call_s), end_s=call_s + 5.0)
        return build_bench(*answers, early_looks_s=looks_s, answer_s=answer_s, cool_down_s=10.0, conditions=(call,))

    sound = make_sound(*parts)
    events = bench().listen(sound)
    assert bench().listen(sound, chunk_samples=5_777) == events
    n_looks = 0
    for first, second in pairwise(event for event in events if isinstance(event, StateChange | Looked | Answered)):
        if isinstance(second, StateChange) and second.before is State.LISTENING:
            n_looks = 0
        n_looks += isinstance(second, Looked | Answered)
        assert n_looks <= len(looks_s) + 1
        if isinstance(first, Looked):
            assert isinstance(second, StateChange)
            assert second.after in {State.CAPTURING, State.PAUSED}
        rests = isinstance(second, StateChange) and second.after is State.COOLING_DOWN
        assert rests == (isinstance(first, Answered)) or second.before is State.PAUSED  # type: ignore[union-attr]
    assert len([event for event in events if isinstance(event, Looked)]) + len(answers_of(events)) == len(
        [event for event in events if isinstance(event, StateChange) and event.after is State.RECOGNIZING]
    )


def test_refuses_looks_that_do_not_ascend_from_zero() -> None:
    for looks_s in ((3.0, 2.0), (2.0, 2.0), (0.0,), (float("nan"),)):
        with pytest.raises(ConfigError, match="early_looks_s"):
            build_bench(unknown_song(), early_looks_s=looks_s)


def test_a_look_at_the_song_after_one_that_was_left_alone_is_at_that_song() -> None:
    """The buffer holds the end of the song before; the music counts from the moment when that was over."""
    phone = build_bench(known_song("a", offset_s=20.0, duration_s=200.0), known_song("b"), early_looks_s=(3.0,))
    first, second = answers_of(phone.listen(make_sound((230, LOUD))))[:2]
    assert second.answer.buffer_s == pytest.approx(3.0)
    over_s = first.asked_at_s - first.answer.buffer_s + 180
    assert second.asked_at_s - second.answer.buffer_s == pytest.approx(over_s, abs=0.02)
