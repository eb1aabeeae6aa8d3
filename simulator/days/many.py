"""Many days: drawn with seeds, on several cores if wanted, reduced to means with intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from nowplaying_core.errors import ConfigError
from nowplaying_core.processes import as_given, share_out
from simulator.days.day import DaySettings, run_day
from simulator.days.quantiles import weighted_quantiles
from simulator.days.record import DayRecord, SongOutcome, record_day
from simulator.days.scenes import Scenario, load_scenarios

__all__ = ["AVERAGE", "LEAST_DAYS_OF_INTERVAL", "MOST_DAYS", "Days", "Estimate", "shares_of_days", "simulate_days"]

AVERAGE = "average"
"""Name of the mix of all scenarios by their shares."""

_ALONE_DAYS = 16
LEAST_DAYS_OF_INTERVAL = 10
"""Fewer independent days give no interval of their mean."""
LEAST_DAYS_OF_PERCENTILES = 40
"""Fewer days give no 5th and 95th percentile, because less than two of them would lie beyond."""
MOST_DAYS = 1_000_000
_MOST_JOBS = 1024
_ALIKE = 1e-9  # of the mean: rounding


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, the 95 % interval of the mean, and the 5th and 95th percentile of days.

    Where days are too few or do not differ, these are None.
    """

    mean: float
    low: float | None
    high: float | None
    p5: float | None
    p95: float | None

    def scaled(self, factor: float) -> "Estimate":
        """Return it in another unit."""
        ends = (self.low, self.high, self.p5, self.p95)
        return Estimate(factor * self.mean, *(None if one is None else factor * one for one in ends))

    @property
    def interval(self) -> list[float] | None:
        """The 95 % interval of the mean, or None."""
        return None if self.low is None or self.high is None else [self.low, self.high]

    @property
    def nine_of_ten(self) -> list[float] | None:
        """The range of nine days of ten, or None."""
        return None if self.p5 is None or self.p95 is None else [self.p5, self.p95]


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

        The interval is Student's of a stratified mean: it describes how precisely this number of days determines the
        mean, not how certain the assumptions are. Scenarios with a single day are put together, and their difference
        counts as chance: an interval that is too wide rather than one that such days do not widen.
        """
        values = np.array([figure(record) for record in self.records])
        mean, n = float(values @ self.weights), len(values)
        low = high = p5 = p95 = None
        # Days that are all alike have an interval of no width, which would look like certainty.
        differ = float(np.ptp(values)) > _ALIKE * abs(mean)
        if differ and n >= LEAST_DAYS_OF_INTERVAL:
            strata = self._strata()
            variance = sum(
                float(self.weights[own].sum()) ** 2 * float(values[own].var(ddof=1)) / len(own) for own in strata
            )
            margin = float(stdtrit(n - len(strata), 0.975)) * variance**0.5
            low, high = mean - margin, mean + margin
        if differ and n >= LEAST_DAYS_OF_PERCENTILES:
            p5, p95 = weighted_quantiles(values, self.weights, (0.05, 0.95))
        return Estimate(mean, low, high, p5, p95)

    def _strata(self) -> list[NDArray[np.int64]]:
        """Return the days of each scenario, those of a single day together with each other or with the smallest."""
        names = np.array([record.scenario for record in self.records])
        strata = [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]
        strata.sort(key=len)
        while len(strata) > 1 and len(strata[0]) == 1:
            strata[:2] = [np.concatenate(strata[:2])]
            strata.sort(key=lambda own: (len(own) > 1, len(own)))
        return strata

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

    def latency_weights(self) -> NDArray[np.float64]:
        """Return the weight of each row of `latencies_s`, that of its day; they sum to one."""
        weights = np.repeat(self.weights, [len(record.latencies) for record in self.records])
        normalized: NDArray[np.float64] = weights / (weights.sum() or 1.0)
        return normalized

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
    scenario: Scenario | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Days:
    """Simulate days of a scenario, or of all of them in their shares.

    Parameters
    ----------
    name : str
        A scenario, or ``AVERAGE``.
    settings : DaySettings
    n_days : int in [1, 1,000,000]
        Exactly so many; at least one of each scenario for ``AVERAGE``.
    seed : int >= 0
        One seed gives the same days to every phone.
    jobs : int >= 1
        Processes; the result does not depend on it.
    scenario : Scenario, optional
        Of this name, in place of the shipped ones.
    progress : callable, optional
        Called with the number of days that are done, and of all.

    Raises
    ------
    ConfigError
        When there is no such scenario, or n_days or jobs is out of its range.
    """
    scenarios = load_scenarios() if scenario is None else {scenario.name: scenario}
    shares = shares_of_days(name, n_days, scenarios)
    if seed < 0:
        message = f"seed: expected a whole number of 0 or more, found {seed}"
        raise ConfigError(message)
    if not 1 <= jobs <= _MOST_JOBS:
        message = f"jobs: expected from 1 to {_MOST_JOBS}, found {jobs}"
        raise ConfigError(message)
    counts = _shared_out(n_days, shares)
    tasks = [(scenarios[one], seed * 1_000_003 + index) for one, count in counts.items() for index in range(count)]
    # A few days are simulated sooner than other processes start.
    records = share_out(
        _one_day, tasks, as_given, settings, jobs=jobs if len(tasks) > _ALONE_DAYS else 1, progress=progress
    )
    weights = np.array([shares[record.scenario] / counts[record.scenario] for record in records])
    title = "average day" if name == AVERAGE else scenarios[name].title
    return Days(name, title, records, weights / weights.sum())


def shares_of_days(
    name: str, n_days: int, scenarios: Mapping[str, Scenario], *, setting: str = "days"
) -> dict[str, float]:
    """Return the share of each kind of day, and refuse a number of days that cannot hold them.

    Parameters
    ----------
    name : str
        A scenario, or ``AVERAGE``.
    n_days : int
    scenarios : mapping of str to Scenario
    setting : str
        What asked for that many days, for the message.

    Raises
    ------
    ConfigError
        When there is no such scenario, or n_days is out of its range.
    """
    if name != AVERAGE and name not in scenarios:
        message = f"day: expected {AVERAGE} or one of {', '.join(scenarios)}, found {name!r}"
        raise ConfigError(message)
    shares = {one.name: one.share for one in scenarios.values()} if name == AVERAGE else {name: 1.0}
    shares = {one: share for one, share in shares.items() if share > 0}
    if not 1 <= n_days <= MOST_DAYS or n_days % 1:
        message = f"{setting}: expected from 1 to {MOST_DAYS:,} whole days, found {n_days}"
        raise ConfigError(message)
    if n_days < len(shares):
        message = (
            f"{setting}: an average day is made of {len(shares)} kinds of days and needs at least one of each: "
            f"expected {len(shares)} days or more, found {n_days}; a single kind of day, such as office-worker, "
            "can be simulated for one day"
        )
        raise ConfigError(message)
    return shares


def _shared_out(n_days: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return so many days by scenario, as near to their shares as whole days can be and at least one of each."""
    total = sum(shares.values())
    counts = {name: max(1, int(n_days * share / total + 1e-9)) for name, share in shares.items()}
    while (missing := n_days - sum(counts.values())) != 0:
        off = {name: counts[name] - n_days * shares[name] / total for name in shares}
        # The most underrepresented gets one more; the most overrepresented gives one, but never its last.
        name = (
            min(off, key=lambda one: off[one])
            if missing > 0
            else max((one for one in off if counts[one] > 1), key=lambda one: off[one])
        )
        counts[name] += 1 if missing > 0 else -1
    return counts


def _one_day(state: tuple[DaySettings], task: tuple[Scenario, int]) -> DayRecord:
    (settings,), (scenario, seed) = state, task
    return record_day(scenario.name, run_day(scenario, settings, seed))
