"""The energy account adds up and reproduces the published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nowplaying.errors import ConfigError
from simulator.device import DeviceProfile
from simulator.energy import EnergyAccount, day_mah, lte_request_j, modelled_wake_j, wifi_request_j
from simulator.events import Event, EventKind, State

PIXEL_2 = DeviceProfile.load("pixel-2")
DURATIONS = st.floats(0, 1e5, allow_nan=False)


def test_published_day_within_two_percent() -> None:
    # Agüera y Arcas et al.: 100 wake-ups a day are 23.5 mAh, 0.9 % (0.87) of 2700 mAh.
    assert day_mah(PIXEL_2, 100) == pytest.approx(23.5, rel=0.02)
    assert 100 * day_mah(PIXEL_2, 100) / 2700 == pytest.approx(0.87, rel=0.02)


def test_account_of_a_published_day() -> None:
    account = EnergyAccount(PIXEL_2)
    account.stay(State.LISTENING, 86_400)
    for _ in range(100):
        account.wake()
    assert account.total_mah == pytest.approx(23.5, rel=0.02)
    assert account.battery_percent == pytest.approx(0.87, rel=0.02)
    assert account.floor_mah == pytest.approx(6.815 * 24)


def test_server_requests_as_published() -> None:
    assert lte_request_j(PIXEL_2) == pytest.approx(11.8, rel=0.02)
    assert wifi_request_j(PIXEL_2) == pytest.approx(0.3, rel=0.02)


@given(st.lists(st.tuples(st.sampled_from(list(State)), DURATIONS)), st.lists(st.floats(0, 100)))
def test_parts_are_the_total_and_never_negative(stays: list[tuple[State, float]], wakes: list[float]) -> None:
    account = EnergyAccount(PIXEL_2)
    for state, duration_s in stays:
        account.stay(state, duration_s)
    for energy_j in wakes:
        account.wake(energy_j)
    assert account.detector_mj + account.wakes_mj == pytest.approx(account.total_mj, rel=1e-9, abs=1e-9)
    assert sum(account.by_state_mj.values()) == account.total_mj
    assert all(part >= 0 for part in [*account.by_state_mj.values(), account.detector_mj, account.wakes_mj])
    assert account.by_state_mj[State.OFF] == account.by_state_mj[State.PAUSED] == 0
    assert account.elapsed_s == pytest.approx(sum(duration_s for _, duration_s in stays))


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 10), st.floats(0, 10))
def test_more_always_costs_more(n_wakes: float, more_wakes: float, compute_s: float, more_compute_s: float) -> None:
    assert day_mah(PIXEL_2, n_wakes + more_wakes) >= day_mah(PIXEL_2, n_wakes)
    wake_j = modelled_wake_j(PIXEL_2, compute_s)
    more_j = modelled_wake_j(PIXEL_2, compute_s + more_compute_s)
    assert more_j >= wake_j >= PIXEL_2.wake.resume_j
    assert day_mah(PIXEL_2, n_wakes, more_j) >= day_mah(PIXEL_2, n_wakes, wake_j)


def _change(time_s: float, before: State, after: State) -> Event:
    return Event(time_s, EventKind.STATE, {"from": str(before), "to": str(after), "reason": "test"})


def test_account_of_events() -> None:
    events = [
        _change(0.0, State.OFF, State.LISTENING),
        _change(10.0, State.LISTENING, State.CAPTURING),
        _change(12.0, State.CAPTURING, State.RECOGNIZING),
        Event(12.0, EventKind.UNKNOWN, {"latency_ms": 100.0}),
        _change(12.0, State.RECOGNIZING, State.COOLING_DOWN),
        _change(30.0, State.COOLING_DOWN, State.PAUSED),
        _change(50.0, State.PAUSED, State.OFF),
    ]
    account = EnergyAccount.of_events(events, PIXEL_2)
    assert account.n_wakes == 1
    assert account.duration_s[State.PAUSED] == 20
    assert account.detector_mj == pytest.approx(30 * 0.4 * 4.0)
    assert account.wakes_mj == 2000
    modelled = EnergyAccount.of_events(events, PIXEL_2, models_wakes=True)
    assert modelled.wakes_mj == pytest.approx(1000 * modelled_wake_j(PIXEL_2, 0.1))


def test_refuses_time_that_runs_backwards() -> None:
    account = EnergyAccount(PIXEL_2)
    with pytest.raises(ConfigError, match="duration"):
        account.stay(State.LISTENING, -1.0)
    with pytest.raises(ConfigError, match="wake-up"):
        account.wake(float("nan"))
    with pytest.raises(ConfigError, match="compute time"):
        modelled_wake_j(PIXEL_2, -1.0)
