"""Many days: drawn with seeds, on several cores if wanted, reduced to means with intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from nowplaying_core.processes import share_out
from simulator.days.day import DaySettings, run_day
from simulator.days.record import DayRecord, SongOutcome, record_day
from simulator.days.scenes import Scenario, load_scenarios

__all__ = ["AVERAGE", "Days", "Estimate", "simulate_days"]

AVERAGE = "average"
"""Name of the mix of all scenarios by their shares."""

_ALONE_DAYS = 16


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the 95 % interval of the mean, and the 5th to 95th percentile of days."""

    mean: float
    low: float
    high: float
    p5: float
    p95: float

    def scaled(self, factor: float) -> "Estimate":
        """Return it in another unit."""
        return Estimate(*(factor * one for one in (self.mean, self.low, self.high, self.p5, self.p95)))


@dataclass(frozen=True, slots=True)
class Days:
    """Simulated days of one scenario or of several with weights.

    Attributes
    ----------
    name, title : str
    records : list of DayRecord
    weights : ndarray of float, shape (n_days,)
        Of each day in a mean; they sum to one.
    """

    name: str
    title: str
    records: list[DayRecord]
    weights: NDArray[np.float64]

    def estimate(self, figure: Callable[[DayRecord], float]) -> Estimate:
        """Return the mean of a figure of a day, stratified by scenario.

        The interval is the normal one of a stratified mean: it describes how precisely this number of days determines
        the mean, not how certain the assumptions are.
        """
        values = np.array([figure(record) for record in self.records])
        variance = 0.0
        names = np.array([record.scenario for record in self.records])
        for name in dict.fromkeys(names.tolist()):
            own = names == name
            n = int(own.sum())
            share = float(self.weights[own].sum())
            variance += share**2 * float(values[own].var(ddof=1)) / n if n > 1 else 0.0
        mean, margin = float(values @ self.weights), 1.96 * variance**0.5
        order = np.argsort(values)
        passed = np.cumsum(self.weights[order])
        p5, p95 = (float(values[order][min(len(order) - 1, int(np.searchsorted(passed, q)))]) for q in (0.05, 0.95))
        return Estimate(mean, mean - margin, mean + margin, p5, p95)

    def mean(self, figure: Callable[[DayRecord], float]) -> float:
        """Return the weighted mean of a figure of a day."""
        return float(sum(w * figure(record) for w, record in zip(self.weights, self.records, strict=True)))

    def only(self, scenario: str, title: str) -> "Days | None":
        """Return the days of one scenario, or None where there are none."""
        records = [record for record in self.records if record.scenario == scenario]
        return Days(scenario, title, records, np.full(len(records), 1 / len(records))) if records else None

    def latencies_s(self) -> NDArray[np.float64]:
        """Return the times to song, shape (n_songs, 4): detecting, waiting, filling the buffer, answering."""
        rows = [
            (one.detecting_s, one.waiting_s, one.filling_s, one.answering_s)
            for record in self.records
            for one in record.latencies
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, 4)

    def song_outcomes(self) -> dict[SongOutcome, float]:
        """Return the database's songs a day by outcome."""
        weighted = list(zip(self.weights.tolist(), self.records, strict=True))
        return {outcome: sum(w * record.song_outcomes[outcome] for w, record in weighted) for outcome in SongOutcome}

    def recall(self) -> float:
        """Return the share of the database's songs that were played and were named."""
        n_songs = self.mean(lambda record: record.n_songs)
        return self.song_outcomes()[SongOutcome.NAMED] / n_songs if n_songs else float("nan")


def simulate_days(
    name: str,
    settings: DaySettings,
    n_days: int,
    *,
    seed: int = 1,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Days:
    """Simulate days of a scenario, or of all of them in their shares.

    Parameters
    ----------
    name : str
        A scenario, or ``AVERAGE``.
    settings : DaySettings
    n_days : int >= 1
    seed : int >= 0
        One seed gives the same days to every phone.
    jobs : int >= 1
        Processes; the result does not depend on it.
    progress : callable, optional
        Called with the number of days that are done, and of all.

    Raises
    ------
    ConfigError
        When there is no such scenario, or n_days or jobs is below 1.
    """
    scenarios = load_scenarios()
    if name != AVERAGE and name not in scenarios:
        message = f"no day is named {name!r}: expected {AVERAGE!r} or one of {', '.join(scenarios)}"
        raise ConfigError(message)
    if n_days < 1 or jobs < 1:
        message = f"days: expected n_days >= 1 and jobs >= 1, found {n_days} and {jobs}"
        raise ConfigError(message)
    shares = {one.name: one.share for one in scenarios.values()} if name == AVERAGE else {name: 1.0}
    counts = {one: max(1, round(n_days * share)) for one, share in shares.items() if share > 0}
    tasks = [(scenarios[one], seed * 1_000_003 + index) for one, count in counts.items() for index in range(count)]
    # A few days are simulated sooner than other processes start.
    records = share_out(
        _one_day, tasks, _unchanged, settings, jobs=jobs if len(tasks) > _ALONE_DAYS else 1, progress=progress
    )
    weights = np.array([shares[record.scenario] / counts[record.scenario] for record in records])
    title = "average day" if name == AVERAGE else scenarios[name].title
    return Days(name, title, records, weights / weights.sum())


def _one_day(settings: DaySettings, task: tuple[Scenario, int]) -> DayRecord:
    scenario, seed = task
    return record_day(scenario.name, run_day(scenario, settings, seed))


def _unchanged(settings: DaySettings) -> DaySettings:
    return settings
