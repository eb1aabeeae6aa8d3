"""Energy adds up however it is cut, is never negative, and grows with every cost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nowplaying_core.errors import ConfigError
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import SECOND_STAGE, Usage
from simulator.energy.work import DatabaseSize, answer_times, work_of_answer
from simulator.phone.events import ANSWER, RECHECK, Answer, Answered, Event, Looked, State, StateChange
from tests.simulator.bench import MODELS, build_costs

PUBLISHED, MODELLED = build_costs()
PIXEL_2 = PUBLISHED.device
EVERY_COST_MODEL = [
    PUBLISHED,
    MODELLED,
    MODELLED.asking_server("lte"),
    MODELLED.rechecking(5e8),
    MODELLED.without_listening(),
    MODELLED.duty_cycled(0.25, 8.0),
]
ANSWERS = st.builds(
    Answer,
    buffer_s=st.just(8.0),
    work=st.sampled_from([ANSWER, RECHECK]),
    cause=st.sampled_from(["music", "other sound", "sound"]),
    recorded_s=st.floats(0, 60),
)
STEPS = st.lists(st.tuples(st.integers(0, 10**5), st.one_of(st.sampled_from(list(State)), ANSWERS)), max_size=40)


@given(st.sampled_from(EVERY_COST_MODEL), STEPS)
def test_every_way_to_cut_the_total_adds_up_and_nothing_is_negative(
    costs: CostModel, steps: list[tuple[int, State | Answer]]
) -> None:
    events: list[Event] = []
    state, now_s, listened_s, expected_mj = State.OFF, 0.0, 0.0, 0.0
    for wait_s, what in [*steps, (7, State.OFF)]:
        now_s += wait_s
        listened_s += wait_s if state.dsp_is_on else 0.0
        if isinstance(what, State):
            events.append(StateChange(time_s=now_s, before=state, after=what, reason="test"))
            state = what
        else:
            events.append(Answered(time_s=now_s, asked_at_s=now_s, answer=what))
            expected_mj += sum(costs.wake_mj[what.work].values()) + costs.recording_mw * what.recorded_s
            expected_mj += costs.capture_mj
    usage = Usage.of_events(events)
    assert usage.listened_s == pytest.approx(listened_s)
    assert usage.elapsed_s == pytest.approx(now_s)
    assert usage.n_wakes == sum(isinstance(what, Answer) for _, what in steps)
    expected_mj += costs.total_listening_mw * listened_s
    total = pytest.approx(expected_mj, rel=1e-9, abs=1e-6)
    assert usage.total_mj(costs) == total
    by_state_mj = usage.by_state_mj(costs)
    for parts in (by_state_mj, usage.by_component_mj(costs), usage.by_cause_mj(costs)):
        assert sum(parts.values()) == total
        assert all(part >= -1e-6 for part in parts.values())
    assert by_state_mj[State.OFF] == by_state_mj[State.PAUSED] == 0


def test_a_buffer_that_is_looked_at_early_fills_once() -> None:
    costs, answer = MODELLED.duty_cycled(0.25, 8.0), Answer(buffer_s=8.0, work=ANSWER, cause="music")
    looks = [Looked(time_s=4.0, asked_at_s=4.0, answer=answer), Answered(time_s=8.0, asked_at_s=8.0, answer=answer)]
    usage = Usage.of_events(looks)
    filling_mj = 0.75 * MODELLED.total_listening_mw * 8.0
    assert usage.total_mj(costs) - usage.total_mj(MODELLED) == pytest.approx(filling_mj)
    assert usage.by_component_mj(costs)["listening while capturing"] == pytest.approx(filling_mj)


# What is saved when these grow: a faster core, memory or radio is done sooner.
SAVING = {"int8_gmacs_per_s", "float_gops_per_s", "lookups_m_per_s", "gb_per_s", "upload_mbps"}
COSTS = [
    name
    for name in PIXEL_2.constants
    if name.partition(".")[0] in {"dsp", "processor", "memory", "radio"}
    and name.rpartition(".")[2] not in SAVING | {"microphone_ma", "reference_macs_per_s", "resume_s"}
]


@given(st.sampled_from(COSTS), st.floats(1.0, 10.0), st.floats(0, 300), st.integers(0, 200_000))
def test_more_of_any_cost_never_costs_less(name: str, factor: float, n_wakes: float, n_songs: int) -> None:
    dearer = PIXEL_2.with_constant(name, factor * PIXEL_2.constants[name].value)
    for radio in (None, "lte", "wifi"):
        before, after = (_costs(device, radio, n_songs) for device in (PIXEL_2, dearer))
        assert after.day_mah(n_wakes) >= before.day_mah(n_wakes) * (1 - 1e-12)


@pytest.mark.parametrize("name", COSTS)
def test_every_cost_is_paid_somewhere(name: str) -> None:
    device = PIXEL_2
    for key, constant in PIXEL_2.constants.items():
        # A power of nothing would hide how long it is drawn.
        device = device.with_constant(key, constant.value or 0.1)
    dearer = device.with_constant(name, 2 * device.constants[name].value)
    pairs = [(_costs(device, radio, 10_000), _costs(dearer, radio, 10_000)) for radio in (None, "lte", "wifi")]
    recording = [(a.recording_mw, b.recording_mw) for a, b in pairs]
    assert any(b.day_mah(100) > a.day_mah(100) for a, b in pairs) or any(b > a for a, b in recording)


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(0, 10**6), st.integers(0, 10**6), st.floats(1, 50))
def test_more_wakes_songs_and_layers_never_cost_less(
    n_wakes: float, more_wakes: float, n_songs: int, more_songs: int, factor: float
) -> None:
    assert MODELLED.day_mah(n_wakes + more_wakes) >= MODELLED.day_mah(n_wakes)
    small = CostModel.modelled(PIXEL_2, MODELS, DatabaseSize(n_songs=n_songs))
    large = CostModel.modelled(PIXEL_2, MODELS, DatabaseSize(n_songs=n_songs + more_songs))
    assert large.wake_j >= small.wake_j
    assert large.answer_s >= small.answer_s
    deep = CostModel.modelled(PIXEL_2, MODELS.scaled(factor), DatabaseSize(n_songs=n_songs))
    assert deep.wake_j >= small.wake_j


def _costs(device: DeviceProfile, radio: str | None, n_songs: int) -> CostModel:
    costs = CostModel.modelled(device, MODELS, DatabaseSize(n_songs=n_songs))
    return costs if radio is None else costs.asking_server(radio)


def test_a_bigger_model_and_a_bigger_database_visibly_cost_more() -> None:
    def wake_j(factor: float, n_songs: int) -> float:
        return CostModel.modelled(PIXEL_2, MODELS.scaled(factor), DatabaseSize(n_songs=n_songs)).wake_j

    assert wake_j(10, 10_000) > 1.3 * wake_j(1, 10_000)
    assert wake_j(1, 1_000_000) > 1.3 * wake_j(1, 10_000)
    work = work_of_answer(MODELS, DatabaseSize(n_songs=10_000))
    assert answer_times(PIXEL_2, work).encoder_s == pytest.approx(18 * 30e6 / 5e9)


def test_a_second_stage_costs_its_multiply_accumulates_for_each_run_and_is_a_component() -> None:
    models = replace(MODELS, second_stage_macs=6e6)
    costs = CostModel.modelled(PIXEL_2, models, DatabaseSize(n_songs=1000))
    on = StateChange(time_s=0.0, before=State.OFF, after=State.LISTENING, reason="test")
    off = StateChange(time_s=100.0, before=State.LISTENING, after=State.OFF, reason="test")
    usage = replace(Usage.of_events([on, off]), n_second_stage_runs=50)
    run_mj = 6e6 * PIXEL_2.dsp.pj_per_mac * 1e-9
    assert run_mj > 0
    assert usage.by_component_mj(costs)[SECOND_STAGE] == pytest.approx(50 * run_mj)
    assert usage.total_mj(costs) == pytest.approx(usage.total_mj(MODELLED) + 50 * run_mj)
    for parts in (usage.by_state_mj(costs), usage.by_cause_mj(costs), usage.by_component_mj(costs)):
        assert sum(parts.values()) == pytest.approx(usage.total_mj(costs))
    assert usage.second_stage_mj(costs.duty_cycled(0.25, 8.0)) == pytest.approx(12.5 * run_mj)
    never_run = replace(usage, n_second_stage_runs=0)
    published = CostModel.published(PIXEL_2, models, DatabaseSize(n_songs=1000))
    assert published is not None
    cases = [(usage, MODELLED), (usage, published), (usage, costs.without_listening()), (never_run, costs)]
    for one, without in cases:
        assert SECOND_STAGE not in one.by_component_mj(without)


def test_refuses_a_database_of_negative_size() -> None:
    with pytest.raises(ConfigError, match="database size"):
        DatabaseSize(n_songs=-1)
