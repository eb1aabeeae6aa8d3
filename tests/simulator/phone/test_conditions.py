"""When the phone may listen."""

import pytest

from nowplaying_core.errors import ConfigError
from simulator.phone.conditions import Condition, PauseReason, PhoneConditions

HOUR_S = 3600.0


def test_the_first_condition_that_holds_gives_the_reason() -> None:
    call = Condition(reason=PauseReason.CALL, start_s=10, end_s=20)
    playback = Condition(reason=PauseReason.OWN_PLAYBACK, start_s=15, end_s=30)
    plan = PhoneConditions((call, playback))
    assert [plan.reason_at(t) for t in (9.99, 10, 19.99, 20, 30)] == [
        None,
        PauseReason.CALL,
        PauseReason.CALL,
        PauseReason.OWN_PLAYBACK,
        None,
    ]


def test_bedtime_runs_over_midnight_every_day() -> None:
    bedtime = Condition(reason=PauseReason.BEDTIME, start_s=23 * HOUR_S, end_s=7 * HOUR_S, daily=True)
    plan = PhoneConditions((bedtime,), clock_start_s=22 * HOUR_S)
    expected = {0.5: False, 1.5: True, 8.5: True, 9.5: False, 24.5: False, 25.5: True}
    assert {h: plan.reason_at(h * HOUR_S) is PauseReason.BEDTIME for h in expected} == expected


def test_refuses_impossible_times() -> None:
    with pytest.raises(ConfigError, match="end after its start"):
        Condition(reason=PauseReason.CALL, start_s=5, end_s=5)
    with pytest.raises(ConfigError, match="86400"):
        Condition(reason=PauseReason.BEDTIME, start_s=5, end_s=90_000, daily=True)
