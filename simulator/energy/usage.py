"""How much a phone listened and woke, without what it costs: the same days can be paid for at any costs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.energy.account import LISTENING
from simulator.energy.costs import ANSWER, CostModel
from simulator.phone.events import Event, EventKind, State

__all__ = ["Usage"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What is paid for.

    Attributes
    ----------
    listened_s : float >= 0, seconds
        Time with the DSP on.
    wakes : mapping of (str, str) to int
        Wake-ups by cause and by kind of work.
    recorded_s : mapping of str to float, seconds
        By cause, how long the processor itself recorded.
    """

    listened_s: float
    wakes: Mapping[tuple[str, str], int]
    recorded_s: Mapping[str, float]

    @classmethod
    def of_events(cls, events: Iterable[Event]) -> "Usage":
        """Count what a phone's events used."""
        listened_s, state, since_s = 0.0, State.OFF, 0.0
        wakes: Counter[tuple[str, str]] = Counter()
        recorded_s: Counter[str] = Counter()
        for event in events:
            if event.kind is EventKind.STATE:
                if state.dsp_is_on:
                    listened_s += event.time_s - since_s
                state, since_s = State(event.data["to"]), event.time_s
            elif event.kind.is_answer:
                cause = event.data.get("cause", "sound")
                wakes[cause, event.data.get("work", ANSWER)] += 1
                recorded_s[cause] += event.data.get("recorded_s", 0.0)
        return cls(listened_s=listened_s, wakes=dict(wakes), recorded_s=dict(recorded_s))

    @property
    def n_wakes(self) -> int:
        """Wake-ups of the processor."""
        return sum(self.wakes.values())

    def n_wakes_for(self, cause: str) -> int:
        """Return the wake-ups for one cause."""
        return sum(n for (one, _), n in self.wakes.items() if one == cause)

    def by_cause_mj(self, costs: CostModel) -> dict[str, float]:
        """Return the energy by cause, as `EnergyAccount.by_cause_mj` keeps it."""
        spent = {LISTENING: costs.total_listening_mw * self.listened_s}
        for (cause, work), n in self.wakes.items():
            spent[cause] = spent.get(cause, 0.0) + n * sum(costs.wake_mj[work].values())
        for cause, seconds in self.recorded_s.items():
            spent[cause] = spent.get(cause, 0.0) + costs.recording_mw * seconds
        return spent

    def by_component_mj(self, costs: CostModel) -> dict[str, float]:
        """Return the energy by component, as `EnergyAccount.by_component_mj` keeps it."""
        spent = {name: power_mw * self.listened_s for name, power_mw in costs.listening_mw.items()}
        for (_, work), n in self.wakes.items():
            for name, energy_mj in costs.wake_mj[work].items():
                spent[name] = spent.get(name, 0.0) + n * energy_mj
        recorded_s = sum(self.recorded_s.values())
        if recorded_s:
            spent["recording"] = costs.recording_mw * recorded_s
        return spent

    def total_mj(self, costs: CostModel) -> float:
        """Return all energy."""
        return sum(self.by_cause_mj(costs).values())
