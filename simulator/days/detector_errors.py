"""The detector's error model: when its gate opens and closes over a day, drawn from the measured error rates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.network import WINDOW_S
from simulator.days.error_rates import ErrorRates
from simulator.days.plan import DayPlan, Dwell, PlayedSong
from simulator.days.scenes import Assumptions

__all__ = ["GateChange", "draw_gate", "duty_cycled", "interrupted"]

_REGION_S = 28.0
"""Mean length of the regions of music in which recall is measured (16 to 40 s)."""


@dataclass(frozen=True, slots=True)
class GateChange:
    """The gate opens or closes; ``music_since_s`` is the start of the sound that opened it."""

    time_s: float
    is_open: bool
    music_since_s: float


def draw_gate(plan: DayPlan, rates: ErrorRates, assumptions: Assumptions, rng: np.random.Generator) -> list[GateChange]:
    """Return the gate's changes over a day, in order.

    Music that is found opens the gate after the detector's delay and keeps it open until ``leave_delay_s`` after its
    end; sounds without music open it now and then for a moment, as often as was measured for their kind.

    Parameters
    ----------
    plan : DayPlan
    rates : ErrorRates
    assumptions : Assumptions
    rng : numpy.random.Generator
    """
    opened = [*_for_music(plan, rates, assumptions, rng), *_for_nothing(plan, rates, assumptions, rng)]
    changes: list[GateChange] = []
    until_s = -1.0
    for start_s, end_s, since_s in sorted(opened):
        if end_s <= until_s:
            continue
        if start_s <= until_s:
            # The gate is still open: it only stays so for longer.
            changes.pop()
        else:
            changes.append(GateChange(start_s, is_open=True, music_since_s=since_s))
        until_s = end_s
        changes.append(GateChange(until_s, is_open=False, music_since_s=since_s))
    return changes


def interrupted(gate: list[GateChange], pauses: Sequence[tuple[float, float]]) -> list[GateChange]:
    """Return the gate of a detector that forgets all sound at each pause and begins anew after it.

    Music that goes on after a pause is found again, with its own delay counted from the pause's end and never before
    the detector's first window is full.

    Parameters
    ----------
    gate : list of GateChange
        Of a detector that is never interrupted.
    pauses : sequence of (float, float), seconds since midnight
        Start and end of each, in order and without overlaps.
    """
    for start_s, end_s in pauses:
        changes: list[GateChange] = []
        for opened, closed in zip(gate[::2], gate[1::2], strict=True):
            if opened.time_s < start_s:
                changes += [opened, replace(closed, time_s=min(closed.time_s, start_s))]
            if closed.time_s > end_s:
                again = _found_again(opened, end_s)
                changes += [again, closed] if again.time_s < closed.time_s else []
        gate = changes
    return gate


def _found_again(opened: GateChange, resumed_s: float) -> GateChange:
    """Return when the gate opens, of a detector that begins to listen at a time."""
    found_s = max(opened.time_s, resumed_s + WINDOW_S)
    if opened.music_since_s >= resumed_s:
        return replace(opened, time_s=found_s)
    delay_s = opened.time_s - opened.music_since_s
    return replace(opened, time_s=max(found_s, resumed_s + delay_s), music_since_s=resumed_s)


def duty_cycled(gate: list[GateChange], on_s: float, period_s: float) -> list[GateChange]:
    """Return the gate of a detector that is on for the first seconds of each period only.

    Music is found in the first stretch that is long enough for the detector's delay, or at its end where none is; what
    is over by then is missed. The gate closes as before.

    Parameters
    ----------
    gate : list of GateChange
        Of a detector that is always on.
    on_s, period_s : float > 0, seconds
    """
    changes: list[GateChange] = []
    for opened, closed in zip(gate[::2], gate[1::2], strict=True):
        delay_s = min(opened.time_s - opened.music_since_s, on_s)
        number = int(opened.music_since_s // period_s)
        while True:
            start_s = number * period_s
            found_s = max(start_s, opened.music_since_s) + delay_s
            if found_s <= start_s + on_s and found_s >= opened.time_s:
                break
            number += 1
        if found_s < closed.time_s:
            changes += [replace(opened, time_s=found_s), closed]
    return changes


def _for_music(
    plan: DayPlan, rates: ErrorRates, assumptions: Assumptions, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    opened: list[tuple[float, float, float]] = []
    for song in plan.songs:
        delay_s = _found_after_s(song, rates, assumptions, rng)
        if delay_s is None:
            continue
        goes_on = bool(opened) and song.start_s <= opened[-1][1]
        start_s = song.start_s if goes_on else song.start_s + delay_s
        opened.append((start_s, song.end_s + assumptions.leave_delay_s, song.start_s))
    return opened


def _found_after_s(
    song: PlayedSong, rates: ErrorRates, assumptions: Assumptions, rng: np.random.Generator
) -> float | None:
    """Return when the detector finds a song, since its start, or None."""
    recall = rates.recall_at(song.snr_db)
    length_s = song.end_s - song.start_s
    n_chances = max(1, round(min(length_s / _REGION_S, assumptions.chances_per_song)))
    for chance in range(n_chances):
        if rng.random() < recall:
            delay_s = chance * _REGION_S + rates.delay_s(rng)
            return delay_s if delay_s < length_s else None
    return None


def _for_nothing(
    plan: DayPlan, rates: ErrorRates, assumptions: Assumptions, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    sd = assumptions.day_sd
    factor = float(rng.gamma(1 / sd**2, sd**2)) if sd > 0 else 1.0
    opened: list[tuple[float, float, float]] = []
    for dwell in plan.dwells:
        n = rng.poisson(factor * _false_per_s(dwell, rates, assumptions) * dwell.duration_s)
        times_s = rng.uniform(dwell.start_s, dwell.end_s, n).tolist()
        # Where music sounds, there is nothing to trigger falsely.
        opened += [
            (start_s, start_s + assumptions.false_open_s, start_s)
            for start_s in times_s
            if not any(True for _ in plan.songs_between(start_s - assumptions.leave_delay_s, start_s))
        ]
    return opened


def _false_per_s(dwell: Dwell, rates: ErrorRates, assumptions: Assumptions) -> float:
    scene = dwell.scene
    if scene.phone:
        return 0.0
    sounding = min(1.0, scene.sounding_share * assumptions.sounding_factor)
    return sounding * rates.false_per_h(scene.sound) / 3600
