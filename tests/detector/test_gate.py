import math
from dataclasses import fields
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate import Gate, GateConfig, GateEvent
from nowplaying_core.errors import ConfigError

configs = st.builds(
    lambda window, low, high, hits: GateConfig(
        window=window, leave_threshold=min(low, high), enter_threshold=max(low, high), consecutive_hits=hits
    ),
    st.integers(1, 8),
    st.floats(0.05, 1),
    st.floats(0.05, 1),
    st.integers(1, 5),
)
tracks = st.lists(st.integers(0, 255).map(lambda output: output / 256), max_size=120)


def run(config: GateConfig, track: list[float]) -> list[GateEvent]:
    gate = Gate(config)
    return [gate.step(probability) for probability in track]


@given(configs, tracks)
def test_average_is_a_probability_and_edges_match_the_state(config: GateConfig, track: list[float]) -> None:
    was_open = False
    for event in run(config, track):
        assert 0 <= event.probability <= 1
        assert event.entered == (event.is_open and not was_open)
        assert event.left == (was_open and not event.is_open)
        was_open = event.is_open


@given(configs, st.integers(1, 40))
def test_silence_never_opens(config: GateConfig, length: int) -> None:
    assert [event.is_open for event in run(config, [0.0] * length)] == [False] * length


@given(configs)
def test_sure_music_opens_after_exactly_as_many_steps_as_the_settings_ask_for(config: GateConfig) -> None:
    # The average of ones over a window that began empty reaches the threshold at ceil(threshold * window) steps.
    first_hit = max(1, math.ceil(config.enter_sum / 256))
    entered = [i + 1 for i, event in enumerate(run(config, [1.0] * 30)) if event.entered]
    assert entered == [first_hit + config.consecutive_hits - 1]


@given(configs, tracks)
def test_a_reset_gate_is_a_new_gate(config: GateConfig, track: list[float]) -> None:
    gate = Gate(config)
    first = [gate.step(probability) for probability in track]
    gate.reset()
    assert [gate.step(probability) for probability in track] == first


def test_one_dip_does_not_end_music_but_falling_below_the_lower_threshold_does() -> None:
    config = GateConfig(window=2, enter_threshold=0.8, leave_threshold=0.4, consecutive_hits=1)
    is_open = [event.is_open for event in run(config, [1, 1, 0, 1, 0, 0])]
    assert is_open == [False, True, True, True, True, False]


def test_lone_false_hits_within_the_window_do_nothing() -> None:
    config = GateConfig(window=4, enter_threshold=0.6, leave_threshold=0.3, consecutive_hits=2)
    assert [event.is_open for event in run(config, [0, 0, 1, 0, 0, 0, 1, 0, 0, 0])] == [False] * 10


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
    with pytest.raises(ConfigError, match=f"gate: .*{field}"):
        GateConfig(**{field: value})


def test_manifest_form_round_trips_and_refuses_other_keys() -> None:
    config = GateConfig(window=3, cool_down_s=10)
    table = config.to_dict()
    assert GateConfig.from_dict(table) == config
    with pytest.raises(ConfigError, match="keys"):
        GateConfig.from_dict({**table, "windows": 3})


@pytest.mark.parametrize("missing", [item.name for item in fields(GateConfig)])
def test_a_manifest_must_hold_every_setting(missing: str) -> None:
    table = GateConfig().to_dict()
    del table[missing]
    with pytest.raises(ConfigError, match="keys"):
        GateConfig.from_dict(table)
