"""The energy account adds up however it is cut, is never negative, and grows with every cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nowplaying_core.errors import ConfigError
from simulator.energy.account import EnergyAccount, day_mah
from simulator.energy.costs import ANSWER, RECHECK, CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import Usage
from simulator.energy.work import DatabaseSize, answer_times, work_of_answer
from simulator.phone.events import Event, EventKind, State
from tests.simulator.bench import MODELS, build_costs

PUBLISHED, MODELLED = build_costs()
PIXEL_2 = PUBLISHED.device
EVERY_COST_MODEL = [
    PUBLISHED,
    MODELLED,
    MODELLED.asking_server("lte"),
    MODELLED.rechecking(5e8),
    MODELLED.without_listening(),
]
DURATIONS = st.floats(0, 1e5, allow_nan=False)
WAKES = st.tuples(
    st.sampled_from([ANSWER, RECHECK]), st.sampled_from(["music", "other sound", "sound"]), st.floats(0, 60)
)


@given(
    st.sampled_from(EVERY_COST_MODEL),
    st.lists(st.tuples(st.sampled_from(list(State)), DURATIONS)),
    st.lists(WAKES),
)
def test_every_way_to_cut_the_total_adds_up_and_nothing_is_negative(
    costs: CostModel, dwells: list[tuple[State, float]], wakes: list[tuple[str, str, float]]
) -> None:
    account = EnergyAccount(costs)
    for state, duration_s in dwells:
        account.dwell(state, duration_s)
    for wake in wakes:
        account.wake(*wake)
    total = pytest.approx(account.total_mj, rel=1e-9, abs=1e-9)
    for parts in (account.by_state_mj, account.by_component_mj, account.by_cause_mj):
        assert sum(parts.values()) == total
        assert all(part >= 0 for part in parts.values())
    assert account.listening_mj + account.wakes_mj + account.recording_mj == total
    assert account.by_state_mj[State.OFF] == account.by_state_mj[State.PAUSED] == 0
    assert account.elapsed_s == pytest.approx(sum(duration_s for _, duration_s in dwells))
    assert account.total_mah >= 0


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("state"), st.sampled_from([one for one in State if one is not State.OFF])),
        st.tuples(st.just("answer"), WAKES),
    ),
    max_size=40,
)


@given(st.sampled_from(EVERY_COST_MODEL), EVENTS)
def test_counting_first_and_paying_later_is_the_same_account(costs: CostModel, steps: list[tuple[str, object]]) -> None:
    events, state, time_s = [], State.OFF, 0.0
    for kind, what in [*steps, ("state", State.OFF)]:
        time_s += 7.0
        if kind == "state":
            assert isinstance(what, State)
            events.append(_change(time_s, state, what))
            state = what
        else:
            work, cause, recorded_s = what  # type: ignore[misc]
            data = {"work": work, "cause": cause, "recorded_s": recorded_s}
            events.append(Event(time_s, EventKind.UNKNOWN, data))
    account, usage = EnergyAccount.of_events(events, costs), Usage.of_events(events)
    assert usage.n_wakes == account.n_wakes
    assert usage.total_mj(costs) == pytest.approx(account.total_mj)
    for ours, theirs in (
        (usage.by_cause_mj(costs), account.by_cause_mj),
        (usage.by_component_mj(costs), account.by_component_mj),
    ):
        assert {k: v for k, v in ours.items() if v} == pytest.approx({k: v for k, v in theirs.items() if v})


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
        assert day_mah(after, n_wakes) >= day_mah(before, n_wakes) * (1 - 1e-12)


@pytest.mark.parametrize("name", COSTS)
def test_every_cost_is_paid_somewhere(name: str) -> None:
    device = PIXEL_2
    for key, constant in PIXEL_2.constants.items():
        # A power of nothing would hide how long it is drawn.
        device = device.with_constant(key, constant.value or 0.1)
    dearer = device.with_constant(name, 2 * device.constants[name].value)
    pairs = [(_costs(device, radio, 10_000), _costs(dearer, radio, 10_000)) for radio in (None, "lte", "wifi")]
    recording = [(a.recording_mw, b.recording_mw) for a, b in pairs]
    assert any(day_mah(b, 100) > day_mah(a, 100) for a, b in pairs) or any(b > a for a, b in recording)


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(0, 10**6), st.integers(0, 10**6), st.floats(1, 50))
def test_more_wakes_songs_and_layers_never_cost_less(
    n_wakes: float, more_wakes: float, n_songs: int, more_songs: int, factor: float
) -> None:
    assert day_mah(MODELLED, n_wakes + more_wakes) >= day_mah(MODELLED, n_wakes)
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
    assert answer_times(PIXEL_2, work).encoder_s == pytest.approx(12 * 30e6 / 5e9)


def _change(time_s: float, before: State, after: State) -> Event:
    return Event(time_s, EventKind.STATE, {"from": str(before), "to": str(after), "reason": "test"})


def test_refuses_time_that_runs_backwards() -> None:
    account = EnergyAccount(PUBLISHED)
    with pytest.raises(ConfigError, match="duration"):
        account.dwell(State.LISTENING, -1.0)
    with pytest.raises(ConfigError, match="recording"):
        account.wake(recorded_s=float("nan"))
    with pytest.raises(ConfigError, match="database size"):
        DatabaseSize(n_songs=-1)
