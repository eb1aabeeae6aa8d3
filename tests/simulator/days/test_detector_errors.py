"""The gate of a detector that is interrupted by pauses, or on now and then only."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.network import WINDOW_S
from simulator.days.detector_errors import GateChange, duty_cycled, interrupted

SPANS = st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 60), st.floats(0.1, 400)), max_size=20)
"""For each time that the gate opens: seconds without music before, the detector's delay, and how long it is open."""


def _gate(spans: list[tuple[float, float, float]]) -> list[GateChange]:
    gate, now_s = [], 0.0
    for gap_s, delay_s, length_s in spans:
        since_s = now_s + gap_s
        now_s = since_s + delay_s + length_s
        gate += [GateChange(since_s + delay_s, is_open=True, music_since_s=since_s)]
        gate += [GateChange(now_s, is_open=False, music_since_s=since_s)]
    return gate


def _opened(since_s: float, delay_s: float, end_s: float) -> list[GateChange]:
    return [
        GateChange(since_s + delay_s, is_open=True, music_since_s=since_s),
        GateChange(end_s, is_open=False, music_since_s=since_s),
    ]


def _times(gate: list[GateChange]) -> list[tuple[float, bool]]:
    return [(one.time_s, one.is_open) for one in gate]


def test_music_that_goes_on_after_a_pause_is_found_again() -> None:
    song = _opened(100.0, 6.0, 400.0)
    assert interrupted(song, []) == song
    # It began before the pause, within it, or so shortly before its end that the detector was not sure yet.
    assert _times(interrupted(song, [(200.0, 300.0)])) == [(106.0, True), (200.0, False), (306.0, True), (400.0, False)]
    for start_s, end_s in ((90.0, 300.0), (103.0, 105.0)):
        found = interrupted(song, [(start_s, end_s)])
        assert _times(found) == [(end_s + 6.0, True), (400.0, False)]
        assert found[0].music_since_s == end_s
    assert _times(interrupted(song, [(90.0, 110.0), (200.0, 395.0)])) == [(116.0, True), (200.0, False)]
    assert interrupted(song, [(90.0, 500.0)]) == []


def test_a_detector_that_begins_anew_is_sure_of_nothing_before_its_first_window_is_full() -> None:
    quick = _opened(100.0, 3.0, 400.0)
    assert interrupted(quick, [(90.0, 100.0)])[0].time_s == 100.0 + WINDOW_S
    false_trigger = _opened(100.0, 0.0, 103.0)
    assert interrupted(false_trigger, [(90.0, 99.0)]) == []
    assert interrupted(false_trigger, [(90.0, 100.0 - WINDOW_S)]) == false_trigger


@settings(max_examples=50, deadline=None)
@given(SPANS, st.lists(st.tuples(st.floats(0, 3000), st.floats(0.1, 3000)), max_size=8))
def test_an_interrupted_gate_is_never_open_in_a_pause(
    spans: list[tuple[float, float, float]], gaps: list[tuple[float, float]]
) -> None:
    pauses, now_s = [], 0.0
    for gap_s, length_s in gaps:
        pauses.append((now_s + gap_s, now_s + gap_s + length_s))
        now_s += gap_s + length_s
    gate = _gate(spans)
    left = interrupted(gate, pauses)
    times_s = [one.time_s for one in left]
    assert times_s == sorted(times_s)
    assert [one.is_open for one in left] == [True, False] * (len(left) // 2)
    for opened, closed in zip(left[::2], left[1::2], strict=True):
        assert any(
            was.time_s <= opened.time_s < closed.time_s <= until.time_s
            for was, until in zip(gate[::2], gate[1::2], strict=True)
        )
        assert not any(opened.time_s < end_s + WINDOW_S and closed.time_s > start_s for start_s, end_s in pauses)


@settings(max_examples=50, deadline=None)
@given(SPANS)
def test_a_duty_cycled_gate_opens_only_while_it_is_on(spans: list[tuple[float, float, float]]) -> None:
    gate = _gate(spans)
    cycled = duty_cycled(gate, 8.0, 30.0)
    assert len(cycled) % 2 == 0
    times_s = [one.time_s for one in cycled]
    assert times_s == sorted(times_s)
    before = {one.music_since_s: one.time_s for one in gate if one.is_open}
    for one in cycled[::2]:
        assert one.time_s % 30.0 <= 8.0 + 1e-6 or one.time_s % 30.0 > 30.0 - 1e-6
        assert one.time_s >= before[one.music_since_s]
