"""How long a phone listened and how often it woke: counted once from its events, and priced by any cost model."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from simulator.energy.costs import CostModel
from simulator.phone.events import Answered, Event, Looked, State, StateChange

__all__ = ["LISTENING", "SECOND_STAGE", "Usage"]

LISTENING = "listening"
"""The cause of the always-on side's energy; each wake-up has a cause of its own."""
SECOND_STAGE = "second stage"
"""The component that a detector's second stage is; its cause is listening."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Times and counts from which a cost model makes energies.

    Attributes
    ----------
    duration_s : mapping of State to float >= 0, seconds
    wakes : mapping of (str, str) to int
        Wake-ups that ended in an answer, by cause and by kind of work.
    early_looks : mapping of (str, str) to int
        Early looks that found nothing, by cause and by kind of work. Each costs as much as an answer: the processor
        sleeps before it looks again, and a shorter query is not counted as less work.
    recorded_s : mapping of str to float >= 0, seconds
        Time that the processor itself recorded, by cause.
    quiet_s : float >= 0, seconds
        How much of the time with the DSP on nothing sounded, as far as it is known.
    n_second_stage_runs : float >= 0
        Runs of the detector's second stage; in simulated days their expected number.
    n_second_stage_runs_in_quiet : float >= 0
        How many of them where nothing sounded, as far as it is known: there are none while a microphone lets the DSP
        sleep.

    Notes
    -----
    The sleeping phone's own current is left out: it flows with or without music recognition.
    """

    duration_s: Mapping[State, float]
    wakes: Mapping[tuple[str, str], int]
    recorded_s: Mapping[str, float]
    early_looks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    quiet_s: float = 0.0
    n_second_stage_runs: float = 0.0
    n_second_stage_runs_in_quiet: float = 0.0

    @classmethod
    def of_events(cls, events: Iterable[Event]) -> "Usage":
        """Count a phone's events, which must be in order of time."""
        duration_s, state, since_s = dict.fromkeys(State, 0.0), State.OFF, 0.0
        wakes: Counter[tuple[str, str]] = Counter()
        early_looks: Counter[tuple[str, str]] = Counter()
        recorded_s: defaultdict[str, float] = defaultdict(float)
        for event in events:
            if isinstance(event, StateChange):
                duration_s[state] += event.time_s - since_s
                state, since_s = event.after, event.time_s
            elif isinstance(event, Answered | Looked):
                answer = event.answer
                counts = wakes if isinstance(event, Answered) else early_looks
                counts[answer.cause, answer.work] += 1
                recorded_s[answer.cause] += answer.recorded_s
        return cls(duration_s=duration_s, wakes=dict(wakes), recorded_s=dict(recorded_s), early_looks=dict(early_looks))

    @property
    def elapsed_s(self) -> float:
        """Time in all states."""
        return sum(self.duration_s.values())

    @property
    def listened_s(self) -> float:
        """Time with the DSP on."""
        return sum(duration_s for state, duration_s in self.duration_s.items() if state.dsp_is_on)

    @property
    def n_wakes(self) -> int:
        """Wake-ups that ended in an answer."""
        return sum(self.wakes.values())

    @property
    def n_early_looks(self) -> int:
        """Early looks that found nothing."""
        return sum(self.early_looks.values())

    def n_wakes_for(self, cause: str) -> int:
        """Return the wake-ups for one cause."""
        return sum(n for (one, _), n in self.wakes.items() if one == cause)

    def by_state_mj(self, costs: CostModel) -> dict[State, float]:
        """Return the energy by state; wake-ups and recording count under ``RECOGNIZING``."""
        by_cause = self.by_cause_mj(costs)
        power_mw = by_cause[LISTENING] / (self.listened_s or 1.0)
        spent = {state: power_mw * s if state.dsp_is_on else 0.0 for state, s in self.duration_s.items()}
        spent[State.RECOGNIZING] += sum(by_cause.values()) - by_cause[LISTENING]
        return spent

    def by_cause_mj(self, costs: CostModel) -> dict[str, float]:
        """Return the energy by cause: listening, and the causes of wake-ups."""
        spent = {LISTENING: sum(self._listening_mj(costs).values())}
        for cause, work, n in self._looks():
            spent[cause] = spent.get(cause, 0.0) + n * sum(costs.wake_mj[work].values())
        for (cause, _), n in self.wakes.items():
            spent[cause] += n * costs.capture_mj
        for cause, seconds in self.recorded_s.items():
            spent[cause] = spent.get(cause, 0.0) + costs.recording_mw * seconds
        return spent

    def by_component_mj(self, costs: CostModel) -> dict[str, float]:
        """Return the energy by component, recording among them."""
        spent = self._listening_mj(costs)
        for _, work, n in self._looks():
            for name, energy_mj in costs.wake_mj[work].items():
                spent[name] = spent.get(name, 0.0) + n * energy_mj
        if costs.capture_mj:
            spent["listening while capturing"] = self.n_wakes * costs.capture_mj
        recorded_s = sum(self.recorded_s.values())
        if recorded_s:
            spent["recording"] = costs.recording_mw * recorded_s
        return spent

    def _looks(self) -> Iterator[tuple[str, str, int]]:
        """Yield cause, kind of work and number of all looks, early ones first."""
        for counts in (self.early_looks, self.wakes):
            for (cause, work), n in counts.items():
                yield cause, work, n

    def _listening_mj(self, costs: CostModel) -> dict[str, float]:
        quiet_s = min(self.quiet_s, self.listened_s)
        quiet_mw = costs.listening_mw if costs.quiet_mw is None else costs.quiet_mw
        spent = {
            name: costs.listening_mw.get(name, 0.0) * (self.listened_s - quiet_s) + quiet_mw.get(name, 0.0) * quiet_s
            for name in {**costs.listening_mw, **quiet_mw}
        }
        second_stage_mj = self.second_stage_mj(costs)
        return {**spent, SECOND_STAGE: second_stage_mj} if second_stage_mj else spent

    def second_stage_mj(self, costs: CostModel) -> float:
        """Return the energy of the detector's second stage, which is a part of listening."""
        asleep = 0.0 if costs.quiet_mw is None else self.n_second_stage_runs_in_quiet
        return (self.n_second_stage_runs - asleep) * costs.second_stage_mj

    def always_on_mj(self, costs: CostModel) -> float:
        """Return the energy of listening that is spent whatever sounds: all of it but the second stage."""
        return self.by_cause_mj(costs)[LISTENING] - self.second_stage_mj(costs)

    def total_mj(self, costs: CostModel) -> float:
        """Return all energy."""
        return sum(self.by_cause_mj(costs).values())
