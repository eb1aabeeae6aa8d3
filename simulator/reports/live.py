"""The simulated phone in a terminal while it listens: level, P(music), state, battery, the last songs."""

import time
from collections import deque

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from detector.second_stage import SecondStage
from nowplaying_core.audio import SAMPLE_RATE_HZ, rms_dbfs
from nowplaying_core.text import clock
from simulator.energy.costs import CostModel
from simulator.phone.events import Answered, Event, Looked, MusicProbability, State, StateChange
from simulator.reports.timeline import STATE_STYLES, describe

__all__ = ["LiveView"]

_FLOOR_DBFS = -70.0
_N_SONGS = 6
_BAR_WIDTH = 40


class LiveView:
    """The phone's screen, kept up to date by its sound and its events.

    Parameters
    ----------
    costs : CostModel
        Costs that empty the battery, beside the sleeping phone's own current.
    live : rich.live.Live or None
        Redrawn with each change.
    speed : float >= 0
        Times real time; 0 is as fast as possible.
    second_stage : SecondStage or None
        That of the phone's detector, whose runs cost energy.
    """

    def __init__(
        self,
        costs: CostModel,
        live: Live | None = None,
        *,
        speed: float = 0.0,
        second_stage: SecondStage | None = None,
    ) -> None:
        self._costs = costs
        self._live = live
        self._speed = speed
        self._second_stage = second_stage
        self._n_runs = 0 if second_stage is None else second_stage.n_runs
        self._began_s = time.monotonic()
        self._n_samples = 0
        self._level_dbfs = _FLOOR_DBFS
        self._probability = 0.0
        self._is_open = False
        self._state = State.OFF
        self._spent_mj = 0.0
        self._n_wakes = 0
        self._songs: deque[tuple[float, str]] = deque(maxlen=_N_SONGS)

    def on_sound(self, samples: NDArray[np.float32]) -> None:
        """Take in a chunk of sound, before the phone gets it."""
        seconds = samples.size / SAMPLE_RATE_HZ
        self._n_samples += samples.size
        self._level_dbfs = max(_FLOOR_DBFS, rms_dbfs(samples)) if samples.size else _FLOOR_DBFS
        device = self._costs.device
        self._spent_mj += device.milliwatts(device.sleep.suspend_ma) * seconds
        if self._state.dsp_is_on:
            self._spent_mj += self._costs.total_listening_mw * seconds
        self._show()
        if self._speed > 0:
            ahead_s = self._n_samples / SAMPLE_RATE_HZ / self._speed - (time.monotonic() - self._began_s)
            if ahead_s > 0:
                time.sleep(ahead_s)

    def on_event(self, event: Event) -> None:
        """Take in an event of the phone."""
        if isinstance(event, MusicProbability):
            self._probability, self._is_open = event.smoothed, event.gate_is_open
            self._spend_runs()
            return
        if isinstance(event, StateChange):
            self._state = event.after
        elif isinstance(event, Answered | Looked):
            self._n_wakes += isinstance(event, Answered)
            self._spent_mj += 1000 * self._costs.wake_j
            if event.answer.match is not None:
                self._songs.appendleft((event.time_s, describe(event)))
        self._show()

    def _spend_runs(self) -> None:
        """Spend the energy of the second stage's runs since the last output; a reset of the detector counts anew."""
        if self._second_stage is None:
            return
        n_runs, before = self._second_stage.n_runs, self._n_runs
        self._n_runs = n_runs
        self._spent_mj += self._costs.second_stage_mj * (n_runs - before if n_runs >= before else n_runs)

    @property
    def battery_percent(self) -> float:
        """Charge left of a battery that was full at the start."""
        return max(0.0, 100.0 - self._costs.device.battery_percent(self._spent_mj))

    def render(self) -> RenderableType:
        """Return the screen."""
        grid = Table.grid(padding=(0, 2))
        state = str(self._state)
        above_floor_db = self._level_dbfs - _FLOOR_DBFS
        grid.add_row("level", _bar(above_floor_db, -_FLOOR_DBFS), f"{self._level_dbfs:.0f} dBFS")
        music = "music" if self._is_open else ""
        grid.add_row("P(music)", _bar(self._probability, 1.0), f"{self._probability:.2f} {music}")
        grid.add_row(
            "phone", Text(state.replace("_", " "), style=STATE_STYLES.get(state, "")), f"{self._n_wakes} wake-ups"
        )
        grid.add_row("battery", _bar(self.battery_percent, 100.0), f"{self.battery_percent:.3f} %")
        # Titles come from files: they are shown as they are, never read as markup.
        songs = [Text(f"{clock(time_s):>8}  {text}", overflow="ellipsis", no_wrap=True) for time_s, text in self._songs]
        title = f"{self._costs.device.title}  {clock(self._n_samples / SAMPLE_RATE_HZ)}"
        return Panel(Group(grid, Text(), *(songs or [Text("no song yet", style="dim")])), title=title, width=96)

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self.render())


def _bar(completed: float, total: float) -> ProgressBar:
    return ProgressBar(total=total, completed=completed, width=_BAR_WIDTH)
