import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate import Gate, GateConfig
from nowplaying_core.errors import ConfigError

configs = st.builds(
    lambda window, low, high, hits, cool, factor: GateConfig(
        window=window,
        leave_threshold=min(low, high),
        enter_threshold=max(low, high),
        consecutive_hits=hits,
        cool_down_s=cool,
        back_off_factor=factor,
    ),
    st.integers(1, 8),
    st.floats(0.05, 1),
    st.floats(0.05, 1),
    st.integers(1, 5),
    st.floats(0, 60),
    st.floats(1, 4),
)
tracks = st.lists(st.integers(0, 255).map(lambda output: output / 256), max_size=120)


def run(config: GateConfig, track: list[float]):
    gate = Gate(config)
    return [gate.step(4.48 + 0.64 * i, p) for i, p in enumerate(track)]


@given(configs, tracks)
def test_wake_ups_keep_their_distance_and_come_in_music_only(config: GateConfig, track: list[float]) -> None:
    opened = [event for event in run(config, track) if event.opened]
    assert all(event.is_open for event in opened)
    times = [event.time_s for event in opened]
    assert all(later - earlier >= config.cool_down_s for earlier, later in itertools.pairwise(times))


@given(configs, tracks)
def test_average_is_a_probability_and_edges_match_the_state(config: GateConfig, track: list[float]) -> None:
    was_open = False
    for event in run(config, track):
        assert -1e-9 <= event.probability <= 1 + 1e-9
        assert event.entered == (event.is_open and not was_open)
        assert event.left == (was_open and not event.is_open)
        was_open = event.is_open


@given(configs, st.integers(1, 40))
def test_silence_never_opens(config: GateConfig, length: int) -> None:
    assert not any(event.is_open for event in run(config, [0.0] * length))


@given(configs)
def test_sure_music_opens_after_exactly_as_many_steps_as_the_settings_ask_for(config: GateConfig) -> None:
    # The average of ones over a window that began empty reaches the threshold at ceil(threshold * window) steps.
    first_hit = max(1, math.ceil(config.enter_sum / 256))
    entered = [i + 1 for i, event in enumerate(run(config, [1.0] * 30)) if event.entered]
    assert entered == [first_hit + config.consecutive_hits - 1]


@given(configs, tracks)
def test_reset_forgets_everything(config: GateConfig, track: list[float]) -> None:
    gate = Gate(config)
    first = [gate.step(0.64 * i, p) for i, p in enumerate(track)]
    gate.reset()
    assert [gate.step(0.64 * i, p) for i, p in enumerate(track)] == first


def test_one_dip_does_not_end_music_but_falling_below_the_lower_threshold_does() -> None:
    config = GateConfig(window=2, enter_threshold=0.8, leave_threshold=0.4, consecutive_hits=1, cool_down_s=0)
    states = [event.state for event in run(config, [1, 1, 0, 1, 0, 0])]
    assert states == ["quiet", "music", "music", "music", "music", "quiet"]


def test_music_that_goes_on_wakes_again_after_the_cool_down() -> None:
    config = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.5, consecutive_hits=1, cool_down_s=6.0)
    times = [event.time_s for event in run(config, [1.0] * 30) if event.opened]
    assert len(times) == 3
    assert times[0] == pytest.approx(4.48)


def test_a_lone_false_hit_within_the_window_does_nothing() -> None:
    config = GateConfig(window=4, enter_threshold=0.6, leave_threshold=0.3, consecutive_hits=2, cool_down_s=60)
    assert not any(event.opened for event in run(config, [0, 0, 1, 0, 0, 0, 1, 0, 0, 0]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window", 0),
        ("consecutive_hits", 0),
        ("enter_threshold", 1.2),
        ("leave_threshold", 0.95),
        ("cool_down_s", -1.0),
        ("cool_down_s", math.inf),
        ("enter_threshold", math.nan),
        ("back_off_factor", 0.5),
        ("longest_rest_s", -1.0),
        ("silence_dbfs", 3.0),
    ],
)
def test_bad_settings_name_their_field(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match="gate"):
        GateConfig(**{field: value})


def test_manifest_form_round_trips_and_refuses_other_keys() -> None:
    config = GateConfig(window=3, cool_down_s=10)
    assert GateConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ConfigError, match="keys"):
        GateConfig.from_dict({**config.to_dict(), "windows": 3})
    with pytest.raises(ConfigError, match="keys"):
        GateConfig.from_dict({"window": 3})


def test_a_manifest_of_the_first_release_still_opens() -> None:
    old = {"window": 4, "enter_threshold": 0.8, "leave_threshold": 0.5, "consecutive_hits": 2, "cool_down_s": 60.0}
    config = GateConfig.from_dict(old)
    assert (config.back_off_factor, config.silence_dbfs) == (1.0, None)


@given(configs, tracks)
def test_sums_of_whole_steps_decide_like_averages(config: GateConfig, track: list[float]) -> None:
    """Firmware compares sums of 256ths; exact fractions say the same."""
    outputs = [round(256 * probability) for probability in track]
    hits = 0
    is_music = False
    for number, event in enumerate(run(config, track)):
        average = Fraction(sum(outputs[max(0, number + 1 - config.window) : number + 1]), 256 * config.window)
        slack = Fraction(1, 256 * 10**6 * config.window)
        hits = hits + 1 if average >= Fraction(config.enter_threshold) - slack else 0
        is_music = average >= Fraction(config.leave_threshold) - slack if is_music else hits >= config.consecutive_hits
        assert event.is_open == is_music


SURE = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.5, consecutive_hits=1, cool_down_s=10.0)


def wakes(gate: Gate, start_s: int, stop_s: int, probability: float = 1.0) -> list[int]:
    return [time_s for time_s in range(start_s, stop_s) if gate.step(float(time_s), probability).opened]


def test_a_recognized_song_is_left_alone_until_it_should_be_over() -> None:
    gate = Gate(SURE)
    assert wakes(gate, 0, 2) == [0]
    gate.answered(2.0, 100.0)
    assert wakes(gate, 2, 120) == [102, 112]


def test_a_song_that_breaks_off_is_waited_for_no_longer() -> None:
    gate = Gate(SURE)
    wakes(gate, 0, 2)
    gate.answered(2.0, 100.0)
    wakes(gate, 2, 20)
    assert wakes(gate, 20, 22, 0.0) == []
    assert wakes(gate, 22, 40) == [22, 32]


def test_no_song_is_waited_for_longer_than_the_longest_rest() -> None:
    gate = Gate(GateConfig(**{**SURE.to_dict(), "longest_rest_s": 50.0}))
    wakes(gate, 0, 2)
    gate.answered(2.0, 3_600.0)
    assert wakes(gate, 2, 60) == [52]


def failing(gate: Gate, stop_s: int) -> list[int]:
    """Return when the gate wakes a phone that never recognizes anything, a second after each wake-up."""
    found = []
    for time_s in range(stop_s):
        if gate.step(float(time_s), 1.0).opened:
            found.append(time_s)
            gate.answered(float(time_s), None)
    return found


def test_failing_recognitions_come_more_and_more_rarely() -> None:
    gate = Gate(GateConfig(**{**SURE.to_dict(), "back_off_factor": 2.0, "longest_rest_s": 60.0}))
    assert failing(gate, 250) == [0, 10, 30, 70, 130, 190]
    assert failing(Gate(SURE), 50) == [0, 10, 20, 30, 40], "a factor of one backs off nowhere"


def test_a_recognized_song_and_other_music_end_the_back_off() -> None:
    config = GateConfig(**{**SURE.to_dict(), "back_off_factor": 3.0})
    for ending in ("recognized", "other music"):
        gate = Gate(config)
        assert failing(gate, 45) == [0, 10, 40]
        if ending == "recognized":
            gate.answered(44.0, 0.0)
        else:
            wakes(gate, 45, 150, 0.0)
        (first,) = wakes(gate, 150, 151)
        gate.answered(float(first), None)
        assert wakes(gate, first + 1, first + 15) == [first + 10]
