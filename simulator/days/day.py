"""One day of one phone: the same loop as on sound, driven by the error models of detector and recognizer."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from simulator.days.architectures import Architecture
from simulator.days.battery import charge_over_day
from simulator.days.detector_errors import GateChange, draw_gate, duty_cycled, interrupted
from simulator.days.error_rates import ErrorRates
from simulator.days.plan import DayPlan, draw_day
from simulator.days.recognizer_errors import RecognizerErrorModel
from simulator.days.scenes import Assumptions, Scenario
from simulator.energy.costs import DAY_S
from simulator.phone.conditions import PauseReason
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Event
from simulator.phone.loop import PhoneLoop

__all__ = ["DayRun", "DaySettings", "run_day"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySettings:
    """Settings of simulated days.

    Attributes
    ----------
    architecture : Architecture
        The latency of its cost model drives the loop; other cost models may price the events afterwards.
    rates : ErrorRates
    assumptions : Assumptions
    config : PhoneConfig
    bedtime_h : pair of float or None, hours of the day
        From when to when the phone does not listen at night.
    """

    architecture: Architecture
    rates: ErrorRates
    assumptions: Assumptions
    config: PhoneConfig
    bedtime_h: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRun:
    """A simulated day.

    Attributes
    ----------
    plan : DayPlan
    gate : list of GateChange
        Of the detector; empty where a clock starts the recognitions.
    events : list of Event
        From midnight to midnight.
    charge : list of (float, float)
        Seconds and percent.
    second_stage_per_h : mapping of str to float
        Runs of the detector's second stage an hour of music, other sound and quiet; empty where it has none.
    """

    plan: DayPlan
    gate: list[GateChange]
    events: list[Event]
    charge: list[tuple[float, float]]
    second_stage_per_h: Mapping[str, float] = field(default_factory=dict)


def run_day(scenario: Scenario, settings: DaySettings, seed: int) -> DayRun:
    """Simulate a day.

    Parameters
    ----------
    scenario : Scenario
    settings : DaySettings
    seed : int
        One seed gives the same day to every phone, so that comparisons are paired.
    """
    plan = draw_day(scenario, settings.assumptions, np.random.default_rng([seed, 0]))
    costs = settings.architecture.costs
    own_percent_per_h = costs.device.battery_percent(3600 * costs.total_listening_mw)
    charge = charge_over_day(plan.dwells, settings.assumptions, own_percent_per_h)
    pauses = _quiet_times(plan, settings, charge)
    is_timed = settings.architecture.period_s is not None
    gate = []
    if not is_timed:
        gate = draw_gate(plan, settings.rates, settings.assumptions, np.random.default_rng([seed, 1]))
        gate = interrupted(gate, [(start_s, end_s) for start_s, end_s, _ in pauses])
    if settings.architecture.duty_s is not None:
        gate = duty_cycled(gate, *settings.architecture.duty_s)
    events: list[Event] = []
    env = simpy.Environment()
    rng = np.random.default_rng([seed, 2])
    answers = RecognizerErrorModel(plan, settings.rates, settings.architecture, costs.answer_s, rng)
    loop = PhoneLoop(env, answers, settings.architecture.configured(settings.config), events.append)
    loop.switch_on()
    if is_timed:
        loop.update_gate(is_open=True)
    else:
        env.process(_gate_changes(env, loop, gate, settings.config))
    env.process(_pauses(env, loop, pauses, reopens=is_timed))
    env.run(until=DAY_S)
    loop.switch_off("end of the day")
    runs_per_h = {kind: one.value for kind, one in settings.rates.second_stage_per_h.items()}
    return DayRun(plan=plan, gate=gate, events=events, charge=charge, second_stage_per_h=runs_per_h)


def _gate_changes(
    env: simpy.Environment, loop: PhoneLoop, gate: list[GateChange], config: PhoneConfig
) -> Generator[simpy.Event, Any, None]:
    for change in gate:
        yield env.timeout(max(0.0, change.time_s - env.now))
        # The phone assumes that the music began half a window before the end of the first window of music.
        loop.update_gate(is_open=change.is_open, music_since_s=change.music_since_s + config.onset_in_window_s)


def _pauses(
    env: simpy.Environment, loop: PhoneLoop, times: list[tuple[float, float, str]], *, reopens: bool
) -> Generator[simpy.Event, Any, None]:
    for start_s, end_s, reason in times:
        if env.now < start_s:
            yield env.timeout(start_s - env.now)
        loop.pause(reason)
        yield env.timeout(end_s - env.now)
        loop.resume()
        if reopens:
            loop.update_gate(is_open=True)


def _quiet_times(
    plan: DayPlan, settings: DaySettings, charge: list[tuple[float, float]]
) -> list[tuple[float, float, str]]:
    """Return when the phone may not listen, in order and without overlaps."""
    times = [(dwell.start_s, dwell.end_s, dwell.scene.phone) for dwell in plan.dwells if dwell.scene.phone]
    if settings.bedtime_h is not None:
        start_s, end_s = (3600 * hour for hour in settings.bedtime_h)
        parts = [(start_s, end_s)] if start_s <= end_s else [(0.0, end_s), (start_s, DAY_S)]
        times += [(*part, str(PauseReason.BEDTIME)) for part in parts]
    low_since_s: float | None = None
    for time_s, percent in [*charge, (DAY_S, 100.0)]:
        is_low = percent < settings.assumptions.saver_percent
        if is_low and low_since_s is None:
            low_since_s = time_s
        elif not is_low and low_since_s is not None:
            times.append((low_since_s, time_s, str(PauseReason.BATTERY_SAVER)))
            low_since_s = None
    apart: list[tuple[float, float, str]] = []
    for start_s, end_s, reason in sorted(times):
        begin_s = max(start_s, apart[-1][1]) if apart else start_s
        if min(end_s, DAY_S) > begin_s:
            apart.append((begin_s, min(end_s, DAY_S), reason))
    return apart
