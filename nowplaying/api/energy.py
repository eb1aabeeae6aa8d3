"""Energy of a day with the recognizer on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.plotting import new_figure
from nowplaying_core.text import html_table
from simulator.days.findings import findings
from simulator.days.many import AVERAGE, Days
from simulator.days.study import Study
from simulator.days.study_file import StudyFile
from simulator.days.summary import component_headings, component_rows, summarise

__all__ = ["EnergyDay", "energy", "load_study"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class EnergyDay:
    """Charge that the recognizer takes from a battery in a day, over many simulated days.

    Attributes
    ----------
    summary : dict
        All figures, as ``nowplaying energy --json`` prints them: under ``modelled`` at the cost of a wake-up that
        follows from the work, and under ``published`` at the published one, or None where there is none.
    days : Days
        The simulated days.
    study : Study

    Examples
    --------
    >>> import nowplaying
    >>> day = nowplaying.energy(n_days=20)
    >>> [row[0] for row in day.rows()][-2:]
    ['total', 'of the battery']
    >>> figure = day.plot()
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
        return {**self.summary, "findings": self.findings(), "remarks": self.study.remarks()}

    def findings(self) -> list[str]:
        """Return the findings in words, the most important first."""
        return findings(self.summary, self.study.device.title)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table: component, and its charge, energy, mean current and share at the modelled cost."""
        return component_rows(self.summary["modelled"], self.study.device)

    def headings(self) -> tuple[str, ...]:
        """Return the headings of `rows`."""
        return component_headings(self.summary["modelled"])

    def published_rows(self) -> list[tuple[str, str, str]]:
        """Return part of the day, and its charge at the published and the modelled cost; empty where none is published.

        The headings are ``mAh per day``, ``published`` and ``modelled``.
        """
        published, modelled = self.summary["published"], self.summary["modelled"]
        if published is None:
            return []
        rows = [
            (name.replace("_", " "), f"{mah:.2f}", f"{modelled['parts_mah'][name]:.2f}")
            for name, mah in published["parts_mah"].items()
        ]
        for title, name, digits in (("total", "mah_per_day", 2), ("% of the battery", "battery_percent", 3)):
            rows.append((title, _interval(published, name, digits), _interval(modelled, name, digits)))
        return rows

    def _repr_html_(self) -> str:
        return html_table(self.headings(), self.rows(), numbers=range(1, 6))

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
    latencies: str | Path | None = None,
    figures: Mapping[str, float] | None = None,
    study_file: str | Path | None = None,
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
    n_days : int in [1, 1,000,000]
        Days to simulate; fewer than ten give no intervals, and an average day needs one of each kind.
    n_songs : int in [0, 10,000,000]
        Songs in the database.
    rates : {"measured", "published"}
        Error rates: of these models, or of Now Playing's detector.
    latencies : str or Path, optional
        Log of benchmark_model on a real phone, or JSON, in place of the estimate.
    figures : mapping of str to float, optional
        Other values for figures such as ``"processor.resume_j"``; ``nowplaying energy figures`` lists them.
    study_file : str or Path, optional
        Your own kind of day and figures; ``nowplaying energy --write-template`` writes an example.
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
    study = load_study(
        device,
        n_songs=n_songs,
        rates=rates,
        latencies=None if latencies is None else Path(latencies),
        figures=figures,
        own=None if study_file is None else StudyFile.read(Path(study_file)),
        detector=detector,
        fingerprinter=fingerprinter,
    )
    days = study.simulate(day, n_days, seed=seed, jobs=jobs, progress=progress)
    return EnergyDay(summary=summarise(days, study.published, study.modelled), days=days, study=study)


def load_study(
    device: str,
    *,
    figures: Mapping[str, float] | None = None,
    own: StudyFile | None = None,
    **options: Any,
) -> Study:
    """Return a study of a device with figures of one's own; ``options`` as of `Study.load`."""
    stated = {**({} if own is None else own.figures), **(figures or {})}
    study = Study.load(device=device, **options).stating(stated)
    return study if own is None else study.with_day(own.scenario)


def _interval(figures: dict[str, Any], name: str, digits: int) -> str:
    value, ends = figures.get(name, figures.get(f"{name}_per_day")), figures[f"{name}_interval_95"]
    spread = f" ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})" if ends else ""
    return f"{value:.{digits}f}{spread}"
