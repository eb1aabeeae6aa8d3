"""The low-power loop, state by state, with stand-ins for the two networks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.gate import GateConfig
from nowplaying_core.audio import mulaw, to_float32, to_int16
from nowplaying_core.errors import ConfigError
from simulator.phone.conditions import Condition, PauseReason
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Event, MusicProbability, Skipped, State, StateChange
from simulator.phone.history import history_of
from tests.simulator.bench import answers_of, build_bench, known_song, make_sound, unknown_song

QUIET, LOUD = 0.001, 0.5


def _changes(events: list[Event]) -> list[tuple[str, float]]:
    return [(str(event.after), event.time_s) for event in events if isinstance(event, StateChange)]


def _states(events: list[Event]) -> list[str]:
    return [state for state, _ in _changes(events)]


def test_music_goes_through_all_states() -> None:
    phone = build_bench(known_song("a"))
    events = phone.listen(make_sound((10, QUIET), (30, LOUD), (70, QUIET)))
    expected = ["listening", "capturing", "recognizing", "cooling_down", "listening", "off"]
    assert _states(events) == expected
    (answer,) = answers_of(events)
    assert answer.kind == "recognized"
    assert answer.answer.match == known_song("a").match
    assert [song.track.title for song in history_of(events)] == ["Song a"]
    times_s = dict(_changes(events[:-1]))
    assert times_s["listening"] - times_s["cooling_down"] == pytest.approx(60, abs=0.011)
    assert all(first.time_s <= second.time_s for first, second in pairwise(events))


def test_silence_never_wakes_the_processor() -> None:
    phone = build_bench(known_song("a"))
    events = phone.listen(make_sound((90, QUIET)))
    assert _states(events) == ["listening", "off"]
    assert phone.recognizer.buffers == []


def test_a_probability_every_640_ms_after_446_frames() -> None:
    events = build_bench(known_song("a")).listen(make_sound((10, QUIET)))
    times_s = [event.time_s for event in events if isinstance(event, MusicProbability)]
    np.testing.assert_allclose(times_s, 4.46 + 0.64 * np.arange(9))


def test_capture_waits_until_the_buffer_holds_music() -> None:
    phone = build_bench(known_song("a"))
    sound = make_sound((20, QUIET), (30, LOUD))
    # No two places alike, so that a buffer in a wrong order is seen.
    sound *= np.random.default_rng(3).uniform(0.5, 1.0, len(sound)).astype(np.float32)
    events = phone.listen(sound)
    times_s = dict(_changes(events))
    assert 0 < times_s["recognizing"] - times_s["capturing"] <= 4.0
    (buffer,) = phone.recognizer.buffers
    assert len(buffer) == 8 * 16_000
    # At the moment of the trigger less than six seconds of it would have been music.
    assert np.mean(np.abs(buffer) > 0.05) > 0.85
    end = round(times_s["recognizing"] * 16_000)
    recorded = to_int16(sound[end - 8 * 16_000 : end])
    np.testing.assert_array_equal(buffer, to_float32(mulaw.decode(mulaw.encode(recorded))))


def test_capture_never_waits_longer_than_allowed() -> None:
    phone = build_bench(known_song("a"), max_capture_s=1.0, onset_in_window_s=0.0)
    times_s = dict(_changes(phone.listen(make_sound((20, QUIET), (30, LOUD)))))
    assert times_s["recognizing"] - times_s["capturing"] == pytest.approx(1.0, abs=0.011)


def test_sound_that_ends_during_the_capture_is_still_looked_up() -> None:
    phone = build_bench(known_song("a"))
    events = phone.listen(make_sound((6.5, LOUD)))
    assert _states(events)[-4:] == ["capturing", "recognizing", "cooling_down", "off"]
    assert len(phone.recognizer.buffers[0]) == round(6.5 * 16_000)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=40))
def test_any_chunks_give_the_same_events(lengths: list[int]) -> None:
    sound = make_sound((3.013, QUIET), (14, LOUD), (10, QUIET), (13, LOUD), (2.0071, QUIET))
    expected = _events_in(sound, [len(sound)])
    assert len(answers_of(expected)) == 2
    assert _events_in(sound, lengths) == expected


def _events_in(sound: np.ndarray, lengths: list[int]) -> list[Event]:
    phone = build_bench(known_song("a"), unknown_song(), cool_down_s=15.0).phone
    events, start = [], 0
    for length in [*lengths, len(sound)]:
        events += list(phone.feed(to_int16(sound[start : start + length])))
        start += length
    return events + list(phone.finish())


def test_wakes_are_a_minute_apart() -> None:
    phone = build_bench(unknown_song())
    events = phone.listen(make_sound((300, LOUD)))
    times_s = [event.time_s for event in answers_of(events)]
    assert len(times_s) == 5
    assert min(np.diff(times_s)) >= 60 - 1e-6


def test_new_music_during_the_cool_down_is_reported_as_skipped() -> None:
    events = build_bench(unknown_song()).listen(make_sound((15, LOUD), (20, QUIET), (15, LOUD), (20, QUIET)))
    assert [event.reason for event in events if isinstance(event, Skipped)] == ["cool_down"]
    assert len(answers_of(events)) == 1


def test_new_music_after_a_clear_end_ends_the_rest() -> None:
    sound = make_sound((15, LOUD), (15, QUIET), (15, LOUD), (20, QUIET))
    for gap_s, n_answers in ((None, 1), (30.0, 1), (5.0, 2)):
        events = build_bench(unknown_song(), rest_ends_after_gap_s=gap_s).listen(sound)
        assert len(answers_of(events)) == n_answers, gap_s
    reasons = [event.reason for event in events if isinstance(event, StateChange)]
    assert reasons.count("new music") == 1
    assert not any(isinstance(event, Skipped) for event in events)
    # The second answer has a buffer of the new music, and a whole rest follows it.
    second = answers_of(events)[1]
    assert 30 < second.time_s < 45
    assert _states(events)[-2:] == ["cooling_down", "off"]


def test_music_that_goes_on_does_not_end_the_rest() -> None:
    events = build_bench(unknown_song(), rest_ends_after_gap_s=5.0).listen(make_sound((150, LOUD)))
    assert min(np.diff([event.time_s for event in answers_of(events)])) >= 60 - 1e-6


def test_a_pause_is_no_end_of_the_music_that_ends_a_rest() -> None:
    playback = Condition(reason=PauseReason.OWN_PLAYBACK, start_s=20.0, end_s=30.0)
    phone = build_bench(unknown_song(), conditions=(playback,), rest_ends_after_gap_s=5.0)
    first, second = answers_of(phone.listen(make_sound((100, LOUD))))
    assert second.time_s - first.time_s >= 60 - 1e-6


def test_a_song_that_goes_on_is_left_alone_until_it_should_be_over() -> None:
    phone = build_bench(known_song("a", offset_s=20.0, duration_s=200.0), known_song("b"))
    events = phone.listen(make_sound((230, LOUD)))
    first, second = answers_of(events)[:2]
    # The buffer began 20 s into a song of 200 s; a new capture begins at its end, and is to hold the next song alone.
    assert second.time_s - (first.time_s - first.answer.buffer_s) == pytest.approx(180 + 8, abs=0.02)
    assert second.answer.buffer_s == 8.0
    skipped = [event.reason for event in events if isinstance(event, Skipped)]
    assert skipped == ["same_song"]
    assert [song.track.title for song in history_of(events)] == ["Song a", "Song b"]


def test_an_answer_takes_its_time() -> None:
    events = build_bench(unknown_song(), answer_s=0.5).listen(make_sound((10, QUIET), (30, LOUD), (70, QUIET)))
    (answer,) = answers_of(events)
    times_s = dict(_changes(events[:-1]))
    assert times_s["cooling_down"] - times_s["recognizing"] == pytest.approx(0.5)
    assert answer.time_s - answer.asked_at_s == pytest.approx(0.5)
    assert times_s["listening"] - times_s["cooling_down"] == pytest.approx(60)


def test_a_call_during_an_answer_waits_for_it() -> None:
    call = Condition(reason=PauseReason.CALL, start_s=20.0, end_s=30.0)
    phone = build_bench(known_song("a"), conditions=(call,), answer_s=3.0)
    events = phone.listen(make_sound((10, QUIET), (30, LOUD)))
    assert _states(events)[:6] == ["listening", "capturing", "recognizing", "cooling_down", "paused", "cooling_down"]
    assert len(answers_of(events)) == 1


def test_backing_off_rests_longer_after_each_unknown_answer_until_the_music_ends() -> None:
    phone = build_bench(unknown_song(), cool_down_s=10.0, back_off_factor=2.0, longest_rest_s=35.0)
    events = phone.listen(make_sound((130, LOUD), (15, QUIET), (30, LOUD)))
    times_s = [event.time_s for event in answers_of(events)]
    np.testing.assert_allclose(np.diff(times_s)[:4], [10, 20, 35, 35], atol=0.02)
    # Music that comes after a silence is asked for at once, and again after ten seconds.
    assert times_s[-1] - times_s[-2] == pytest.approx(10, abs=0.02)


def test_a_song_of_unknown_length_is_looked_up_every_minute() -> None:
    assert len(answers_of(build_bench(known_song("a", duration_s=0.0)).listen(make_sound((150, LOUD))))) == 3


def test_another_song_after_a_gap_is_looked_up() -> None:
    phone = build_bench(known_song("a", duration_s=400.0), known_song("b"))
    events = phone.listen(make_sound((80, LOUD), (15, QUIET), (30, LOUD)))
    assert [song.track.title for song in history_of(events)] == ["Song a", "Song b"]


def test_a_pause_forgets_the_sound() -> None:
    call = Condition(reason=PauseReason.CALL, start_s=20.0, end_s=40.0)
    phone = build_bench(known_song("a"), conditions=(call,), max_capture_s=0.0)
    n_resets = phone.detector.n_resets
    # Music shortly before the call, through it and after it.
    events = phone.listen(make_sound((17, QUIET), (43, LOUD)))
    assert _states(events)[:3] == ["listening", "paused", "listening"]
    assert all(not 20 < event.time_s < 40 for event in events)
    assert phone.detector.n_resets == n_resets + 1
    (buffer,) = phone.recognizer.buffers
    (answer,) = answers_of(events)
    assert answer.time_s < 47
    assert len(buffer) / 16_000 == pytest.approx(answer.time_s - 40.0, abs=0.02)


def test_a_pause_ends_a_capture() -> None:
    call = Condition(reason=PauseReason.CALL, start_s=25.0, end_s=30.0)
    phone = build_bench(known_song("a"), conditions=(call,))
    events = phone.listen(make_sound((20, QUIET), (6, LOUD), (10, QUIET)))
    assert _states(events) == ["listening", "capturing", "paused", "listening", "off"]
    assert phone.recognizer.buffers == []


def test_a_pause_does_not_shorten_the_cool_down() -> None:
    playback = Condition(reason=PauseReason.OWN_PLAYBACK, start_s=20.0, end_s=30.0)
    phone = build_bench(unknown_song(), conditions=(playback,))
    events = phone.listen(make_sound((100, LOUD)))
    first, second = answers_of(events)
    assert first.time_s < 20
    assert second.time_s - first.time_s >= 60 - 1e-6
    assert _states(events)[4:6] == ["paused", "cooling_down"]


def test_the_end_of_a_source_switches_off_once() -> None:
    phone = build_bench(known_song("a")).phone
    assert list(phone.finish()) == []
    list(phone.feed(to_int16(make_sound((1, QUIET)))))
    assert [event.after for event in phone.finish() if isinstance(event, StateChange)] == [State.OFF]
    assert list(phone.finish()) == []


def test_refuses_impossible_settings() -> None:
    gate = GateConfig(window=3, enter_threshold=0.6, leave_threshold=0.4, consecutive_hits=2, cool_down_s=60.0)
    with pytest.raises(ConfigError, match="music_gap_s"):
        PhoneConfig(gate=gate, music_gap_s=-1.0)
    with pytest.raises(ConfigError, match="rest_ends_after_gap_s"):
        PhoneConfig(gate=gate, rest_ends_after_gap_s=-0.1)
    with pytest.raises(ConfigError, match="buffer_s"):
        PhoneConfig(gate=gate, buffer_s=0.0)
