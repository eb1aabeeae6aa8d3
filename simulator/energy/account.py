"""Where the energy goes: an account kept by state, by component and by cause, which always adds up."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from nowplaying_core.errors import ConfigError
from simulator.energy.costs import ANSWER, CostModel
from simulator.energy.device import DeviceProfile
from simulator.phone.events import Event, EventKind, State

__all__ = ["DAY_S", "LISTENING", "EnergyAccount", "day_mah"]

DAY_S = 86_400.0
LISTENING = "listening"
"""The cause of what the always-on side spends; a wake-up's cause is what was really to be heard."""


@dataclass(slots=True)
class EnergyAccount:
    """Energy spent on music recognition, in mJ.

    Attributes
    ----------
    costs : CostModel
    by_state_mj : dict of State to float >= 0
        The always-on side's share of each state, and the wake-ups under ``RECOGNIZING``.
    by_component_mj, by_cause_mj : dict of str to float >= 0
        The same energy by what spent it, and by what it was spent for.
    duration_s : dict of State to float >= 0
    n_wakes : int >= 0
    wakes_mj, listening_mj, recording_mj : float >= 0
        Wake-ups, always-on side, and recording by the processor: the total's three parts.

    Notes
    -----
    The sleeping phone's own current is not part of it: it flows with or without music recognition (see `floor_mah`).
    """

    costs: CostModel
    by_state_mj: dict[State, float] = field(default_factory=lambda: dict.fromkeys(State, 0.0))
    by_component_mj: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    by_cause_mj: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    duration_s: dict[State, float] = field(default_factory=lambda: dict.fromkeys(State, 0.0))
    n_wakes: int = 0
    wakes_mj: float = 0.0
    listening_mj: float = 0.0
    recording_mj: float = 0.0

    @property
    def device(self) -> DeviceProfile:
        """Whose energy it is."""
        return self.costs.device

    def dwell(self, state: State, duration_s: float) -> None:
        """Spend time in a state; the DSP draws its current unless it is off.

        Raises
        ------
        ConfigError
            When time runs backwards.
        """
        if not duration_s >= 0:
            message = f"energy account: expected a duration >= 0 s in state {state}, found {duration_s}"
            raise ConfigError(message)
        self.duration_s[state] += duration_s
        if state.dsp_is_on:
            energy_mj = 0.0
            for component, power_mw in self.costs.listening_mw.items():
                self.by_component_mj[component] += power_mw * duration_s
                energy_mj += power_mw * duration_s
            self.by_state_mj[state] += energy_mj
            self.by_cause_mj[LISTENING] += energy_mj
            self.listening_mj += energy_mj

    def wake(self, kind: str = ANSWER, cause: str = "sound", recorded_s: float = 0.0) -> None:
        """Wake the application processor once.

        Parameters
        ----------
        kind : str
            A key of the costs' ``wake_mj``.
        cause : str
            What was really to be heard, where that is known.
        recorded_s : float >= 0, seconds
            How long the processor itself recorded for it.
        """
        if not recorded_s >= 0:
            message = f"energy account: expected a recording >= 0 s, found {recorded_s}"
            raise ConfigError(message)
        parts = self.costs.wake_mj[kind]
        recording_mj = self.costs.recording_mw * recorded_s
        for component, energy_mj in parts.items():
            self.by_component_mj[component] += energy_mj
        if recording_mj:
            self.by_component_mj["recording"] += recording_mj
        energy_mj = sum(parts.values())
        self.n_wakes += 1
        self.wakes_mj += energy_mj
        self.recording_mj += recording_mj
        self.by_state_mj[State.RECOGNIZING] += energy_mj + recording_mj
        self.by_cause_mj[cause] += energy_mj + recording_mj

    @classmethod
    def of_events(cls, events: Iterable[Event], costs: CostModel) -> "EnergyAccount":
        """Keep the account of a phone's events.

        Parameters
        ----------
        events : iterable of Event
            In order of time, as `simulator.phone.phone` yields them.
        costs : CostModel
        """
        account = cls(costs)
        state, since_s = State.OFF, 0.0
        for event in events:
            if event.kind is EventKind.STATE:
                account.dwell(state, event.time_s - since_s)
                state, since_s = State(event.data["to"]), event.time_s
            elif event.kind.is_answer:
                data = event.data
                account.wake(data.get("work", ANSWER), data.get("cause", "sound"), data.get("recorded_s", 0.0))
        return account

    @property
    def total_mj(self) -> float:
        """All energy spent on music recognition."""
        return self.listening_mj + self.wakes_mj + self.recording_mj

    @property
    def elapsed_s(self) -> float:
        """Time on the account, in all states."""
        return sum(self.duration_s.values())

    @property
    def total_mah(self) -> float:
        """All energy as battery charge."""
        return self.device.mah(self.total_mj)

    @property
    def battery_percent(self) -> float:
        """All energy as percent of the full battery."""
        return self.device.battery_percent(self.total_mj)

    @property
    def floor_mah(self) -> float:
        """Charge that the sleeping phone itself drew in the same time; not part of the total."""
        return self.device.sleep.suspend_ma * self.elapsed_s / 3600.0


def day_mah(costs: CostModel, n_wakes: float, listening_s: float = DAY_S) -> float:
    """Return the charge of a day in mAh: the detector all day, and so many wake-ups.

    Parameters
    ----------
    costs : CostModel
    n_wakes : float >= 0
    listening_s : float in [0, 86400], seconds
        How long the detector is on.
    """
    return costs.device.mah(costs.total_listening_mw * listening_s + 1000.0 * n_wakes * costs.wake_j)
