import numpy as np

from detector.gate import GateConfig
from detector.live import LiveEvent, LiveSegments
from detector.stream import Decision, StreamingDetector
from tests.detector.sounds import noise
from tests.synthesis import song

GATE = GateConfig(window=2, enter_threshold=0.6, leave_threshold=0.3, consecutive_hits=2, cool_down_s=20.0)


def follow(track: list[float], *, finish_s: float | None = None) -> list[LiveEvent]:
    live = LiveSegments(GATE)
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


def test_a_hit_long_before_is_no_beginning() -> None:
    events = follow([0.0] * 5 + [0.5] + [0.0] * 10 + [1.0] * 6 + [0.0] * 5)
    assert events[0].start_s == 4.48 + 0.64 * 16 - 2.24


def test_music_that_goes_on_wakes_again_and_ends_with_the_sound() -> None:
    events = follow([1.0] * 100, finish_s=70.0)
    assert [event.event for event in events] == ["begin", *["wake"] * 4, "end"]
    assert events[0].start_s == 2.24
    assert events[-1].end_s == 70.0


def test_silence_says_nothing() -> None:
    assert follow([0.0] * 50) == []


def test_real_decisions() -> None:
    detector = StreamingDetector.from_model("detector-v1")
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
