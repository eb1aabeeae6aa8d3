"""Energy of a day with the recognizer on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.plotting import new_figure
from nowplaying_core.text import html_table
from simulator.days.many import AVERAGE, Days, simulate_days
from simulator.days.study import Study
from simulator.days.summary import summarise

__all__ = ["EnergyDay", "energy"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class EnergyDay:
    """Charge that the recognizer takes from a battery in a day, over many simulated days.

    Attributes
    ----------
    summary : dict
        All figures, as ``nowplaying energy --json`` prints them: at the published cost of a wake-up, and under
        ``modelled`` at the one that follows from the work.
    days : Days
        The simulated days.
    study : Study
    """

    summary: dict[str, Any]
    days: Days
    study: Study

    @property
    def mah_per_day(self) -> float:
        """Charge of a day in mAh, at the modelled cost of a wake-up."""
        return float(self.summary["modelled"]["mah_per_day"])

    @property
    def battery_percent_per_day(self) -> float:
        """Share of the battery in percent, at the modelled cost of a wake-up."""
        return float(self.summary["modelled"]["battery_percent_per_day"])

    def __repr__(self) -> str:
        place = f"device={self.summary['device']!r}, day={self.summary['day']!r}"
        figures = f"mah_per_day={self.mah_per_day:.2f}, battery_percent_per_day={self.battery_percent_per_day:.3f}"
        return f"EnergyDay({place}, {figures})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        return self.summary

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the table: part of the day, and its charge at the published and at the modelled cost of a wake-up."""
        published, modelled = self.summary, self.summary["modelled"]
        parts = published["parts_mah"]
        rows = [
            (name.replace("_", " "), f"{mah:.2f}", f"{modelled['parts_mah'][name]:.2f}") for name, mah in parts.items()
        ]
        for title, name, digits in (("total", "mah_per_day", 2), ("% of the battery", "battery_percent", 3)):
            rows.append((title, _interval(published, name, digits), _interval(modelled, name, digits)))
        return rows

    def headings(self) -> tuple[str, str, str]:
        """Return the headings of `rows`."""
        return "mAh per day", "published cost", f"modelled ({self.summary['modelled']['wake_j']:.2f} J a wake-up)"

    def _repr_html_(self) -> str:
        return html_table(self.headings(), self.rows(), numbers=(1, 2))

    def plot(self) -> Any:
        """Draw how the charge of the days is spread, and its mean.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            Without matplotlib.
        """
        device, costs = self.study.device, self.study.modelled
        charges = [device.mah(record.usage.total_mj(costs)) for record in self.days.records]
        figure = new_figure(figsize=(8, 3))
        axes = figure.subplots()
        axes.hist(charges, bins=30, weights=100 * self.days.weights, color="tab:blue")
        axes.axvline(self.mah_per_day, color="tab:red", label=f"mean {self.mah_per_day:.1f} mAh")
        axes.set(xlabel="mAh per day", ylabel="days (%)", title=f"{device.title}, {self.summary['day']}")
        axes.legend()
        return figure


def energy(
    device: str = "pixel-2",
    day: str = AVERAGE,
    *,
    n_days: int = 300,
    n_songs: int = 10_000,
    rates: Literal["measured", "published"] = "measured",
    latencies: Path | None = None,
    seed: int = 1,
    jobs: int = 1,
    detector: str | Path = SHIPPED_DETECTOR,
    fingerprinter: str | Path = SHIPPED_FINGERPRINTER,
    progress: Callable[[int, int], None] | None = None,
) -> EnergyDay:
    """Simulate whole days of a phone with the recognizer on.

    Parameters
    ----------
    device : str
        Shipped profile such as pixel-2, or a .toml file.
    day : str
        A kind of day such as commuter, or average for all kinds by their shares.
    n_days : int >= 1
        Days to simulate.
    n_songs : int >= 0
        Songs in the database.
    rates : {"measured", "published"}
        Error rates: of these models, or of Now Playing's detector.
    latencies : Path, optional
        JSON measured on a real phone, in place of the estimate.
    seed : int >= 0
    jobs : int >= 1
        Processes; the result does not depend on it.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    progress : callable, optional
        Called with the number of days that are done, and of all.

    Returns
    -------
    EnergyDay

    Raises
    ------
    ConfigError
        When a name is unknown or a number is out of range.

    Examples
    --------
    >>> import nowplaying
    >>> day = nowplaying.energy("pixel-2", "commuter", n_days=20)
    >>> 5 < day.mah_per_day < 20 and day.battery_percent_per_day < 1
    True
    """
    study = Study.load(
        device=device,
        detector=detector,
        fingerprinter=fingerprinter,
        n_songs=n_songs,
        rates=rates,
        latencies=latencies,
    )
    days = simulate_days(day, study.settings(), n_days, seed=seed, jobs=jobs, progress=progress)
    return EnergyDay(summary=summarise(days, study.published, study.modelled), days=days, study=study)


def _interval(figures: dict[str, Any], name: str, digits: int) -> str:
    value = figures.get(name, figures.get(f"{name}_per_day"))
    low, high = figures[f"{name}_interval_95"]
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
