import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate import GateConfig
from detector.live import LiveEvent, LiveSegments
from detector.stream import Decision, StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from tests.detector.sounds import noise
from tests.detector.test_gate import configs, tracks
from tests.synthesis import song

GATE = GateConfig(window=2, enter_threshold=0.6, leave_threshold=0.3, consecutive_hits=2, cool_down_s=20.0)


def follow(track: list[float], *, finish_s: float | None = None, gate: GateConfig = GATE) -> list[LiveEvent]:
    live = LiveSegments(gate)
    decisions = [Decision(4.48 + 0.64 * number, probability) for number, probability in enumerate(track)]
    events = list(live.process(decisions))
    return events + list(live.finish(finish_s if finish_s is not None else decisions[-1].time_s))


def test_music_begins_and_ends_where_it_was_first_and_last_heard() -> None:
    events = follow([0.0] * 10 + [1.0] * 20 + [0.0] * 10)
    assert [event.event for event in events] == ["begin", "wake", "end"]
    begin, _, end = events
    # Window 10 is the first above; half a window before its end the music was there.
    assert begin.start_s == end.start_s == 4.48 + 0.64 * 10 - 2.24
    assert end.end_s == 4.48 + 0.64 * 29 - 2.24
    assert begin.time_s > begin.start_s
    assert end.probability > 0.85


def test_music_of_a_day_takes_no_more_memory_than_that_of_a_minute() -> None:
    live, sizes = LiveSegments(GATE), []
    for n in (100, 10_000):
        list(live.process(Decision(0.64 * number, 0.9) for number in range(n)))
        sizes.append(len(pickle.dumps(live)))
    assert sizes[1] <= sizes[0] + 8
    (end,) = live.finish(6_400.0)
    assert end.probability == pytest.approx(0.9)


def test_a_hit_long_before_is_no_beginning() -> None:
    events = follow([0.0] * 5 + [0.5] + [0.0] * 10 + [1.0] * 6 + [0.0] * 5)
    assert events[0].start_s == 4.48 + 0.64 * 16 - 2.24


def test_music_that_goes_on_wakes_again_and_ends_with_the_sound() -> None:
    events = follow([1.0] * 100, finish_s=70.0)
    assert [event.event for event in events] == ["begin", *["wake"] * 4, "end"]
    assert events[0].start_s == 2.24
    assert events[-1].end_s == 70.0


def wake_times_s(events: list[LiveEvent]) -> list[float]:
    return [event.time_s for event in events if event.event == "wake"]


def test_wake_ups_come_as_often_as_the_cool_down_allows() -> None:
    sure = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.5, consecutive_hits=1, cool_down_s=6.0)
    track = [1.0] * 15 + [0.0] + [1.0] * 14
    # The first decision that comes 6 s or more after the wake-up before it is 10 decisions later.
    assert wake_times_s(follow(track, gate=sure)) == [4.48 + 0.64 * number for number in (0, 10, 20)]
    without = replace(sure, cool_down_s=0.0)
    assert wake_times_s(follow(track, gate=without)) == [4.48, 4.48 + 0.64 * 16], "one for each stretch of music"


@given(configs, st.floats(0, 60), tracks)
def test_wake_ups_keep_their_distance_and_come_in_music_only(
    config: GateConfig, cool_down_s: float, track: list[float]
) -> None:
    events = follow([0.0, *track], gate=replace(config, cool_down_s=cool_down_s))
    kinds = [event.event for event in events]
    begins, ends = ([number for number, kind in enumerate(kinds) if kind == name] for name in ("begin", "end"))
    assert len(begins) == len(ends), "music that has begun also ends, at the latest with the stream"
    inside = {number for begin, end in zip(begins, ends, strict=True) for number in range(begin, end)}
    assert {number for number, kind in enumerate(kinds) if kind == "wake"} <= inside
    times_s = wake_times_s(events)
    assert all(later - earlier >= cool_down_s for earlier, later in itertools.pairwise(times_s))


def test_silence_says_nothing() -> None:
    assert follow([0.0] * 50) == []


def test_real_decisions() -> None:
    detector = StreamingDetector.from_model(SHIPPED_DETECTOR)
    live = LiveSegments(detector.gate_config)
    sound = np.concatenate([noise(1, 10.0, 0.02), song(2, 25.0), noise(3, 20.0, 0.02)])
    events = []
    for chunk in np.array_split(sound, 37):
        events += live.process(detector.process(chunk))
    events += live.finish(55.0)
    assert events[0].event == "begin"
    assert 6 < events[0].start_s < 14
    (end,) = [event for event in events if event.event == "end"]
    assert 31 < end.end_s < 40
