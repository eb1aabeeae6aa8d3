import math
from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate import Gate, GateConfig, GateEvent
from nowplaying_core.errors import ConfigError


@st.composite
def _configs(draw: st.DrawFn, *, is_early: bool | None = None) -> GateConfig:
    window = draw(st.integers(1, 8))
    low, high = sorted((draw(st.floats(0.05, 1)), draw(st.floats(0.05, 1))))
    if is_early if is_early is not None else draw(st.booleans()):
        early = {"early_window": draw(st.integers(1, window)), "early_threshold": draw(st.floats(0.05, 1))}
    else:
        early = {}
    hits = draw(st.integers(1, 5))
    return GateConfig(window=window, leave_threshold=low, enter_threshold=high, consecutive_hits=hits, **early)


configs, late_configs = _configs(), _configs(is_early=False)
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


@given(late_configs)
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


def test_clear_music_opens_early_and_doubtful_music_waits() -> None:
    late = GateConfig(window=6, enter_threshold=0.9, leave_threshold=0.5, consecutive_hits=2)
    early = replace(late, early_window=2, early_threshold=0.97)
    clear, doubtful = [0.0] * 6 + [1.0] * 12, [0.0] * 6 + [0.95] * 12
    opens = {
        (gate, sound): next(i for i, event in enumerate(run(config, track)) if event.entered)
        for gate, config in (("late", late), ("early", early))
        for sound, track in (("clear", clear), ("doubtful", doubtful))
    }
    # Six windows of ones fill the long average; two fill the short one.
    assert opens == {
        ("late", "clear"): 12,
        ("early", "clear"): 7,
        ("late", "doubtful"): 12,
        ("early", "doubtful"): 12,
    }
    assert [event.is_open for event in run(early, clear)[7:]] == [True] * 11, "the long average does not close it"


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
        goes_on, begins = average >= Fraction(config.leave_threshold) - slack, hits >= config.consecutive_hits
        if config.early_window is not None and config.early_threshold is not None:
            newest = outputs[max(0, number + 1 - config.early_window) : number + 1]
            early = Fraction(sum(newest), 256 * config.early_window)
            slack = Fraction(1, 256 * 10**6 * config.early_window)
            goes_on |= early >= Fraction(config.leave_threshold) - slack
            begins |= early >= Fraction(config.early_threshold) - slack
        is_music = goes_on if is_music else begins
        assert event.is_open == is_music


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window", 0),
        ("consecutive_hits", 0),
        ("early_window", 5),
        ("early_threshold", 0.9),
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


def test_an_early_window_fits_the_long_one_and_has_its_threshold() -> None:
    with pytest.raises(ConfigError, match=r"gate: .*early_window"):
        GateConfig(window=4, early_window=5, early_threshold=0.9)
    with pytest.raises(ConfigError, match=r"gate: .*early_threshold"):
        GateConfig(window=4, early_window=2, early_threshold=1.5)


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
