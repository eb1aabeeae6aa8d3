"""Settings of a study of days, loaded by name: device, models, database size, measured error rates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from detector.gate import GateConfig
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.text import counted
from simulator.days.architectures import Architecture, architectures_for, baseline
from simulator.days.day import DaySettings
from simulator.days.error_rates import ErrorRates, published_rates
from simulator.days.figures import figure_of
from simulator.days.many import AVERAGE, Days, simulate_days
from simulator.days.measured_rates import measured_rates
from simulator.days.scenes import Assumptions, Scenario, load_assumptions
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.config import PhoneConfig
from simulator.provenance import ModelIdentity, Provenance

__all__ = ["Study"]

_SONGS_OF_RATES = 10_000
_MOST_MEASURED_SONGS = 300_000  # benchmarks/scale.json
_BYTES_PER_SONG = 3100  # the same file, 300,000 songs


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """One phone on one device, with its error rates.

    Attributes
    ----------
    device : DeviceProfile
    models : Models
    database : DatabaseSize
    rates : ErrorRates
    config : PhoneConfig
    assumptions : Assumptions
    latencies : PhoneLatencies or None
    models_used : tuple of ModelIdentity
    changed : tuple of str
        Figures that somebody stated in place of the profile's, as ``name=value``.
    scenario : Scenario or None
        A kind of day in place of the shipped ones.
    """

    device: DeviceProfile
    models: Models
    database: DatabaseSize
    rates: ErrorRates
    config: PhoneConfig
    assumptions: Assumptions
    latencies: PhoneLatencies | None = None
    models_used: tuple[ModelIdentity, ...] = ()
    changed: tuple[str, ...] = ()
    scenario: Scenario | None = None

    @classmethod
    def load(
        cls,
        *,
        device: str = "pixel-2",
        detector: str | Path | ModelFolder = SHIPPED_DETECTOR,
        fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
        n_songs: int = 10_000,
        rates: str = "measured",
        latencies: Path | None = None,
    ) -> "Study":
        """Load a study by names.

        Parameters
        ----------
        device : str
            Shipped profile, or a .toml file.
        detector, fingerprinter : str, Path or ModelFolder
            Models; their ``metrics.json`` hold the error rates.
        n_songs : int in [0, 10,000,000]
            Of the database.
        rates : str
            "measured", or "published" for the detector of Now Playing at its one operating point.
        latencies : Path or None
            Log of benchmark_model on a real phone, or JSON; see `PhoneLatencies`.

        Raises
        ------
        NowPlayingError
            When a name is unknown or a file is damaged.
        """
        if rates not in {"measured", "published"}:
            message = f"rates: expected 'measured' or 'published', found {rates!r}"
            raise ConfigError(message)
        figure_of("database.songs").check("songs", n_songs)
        folders = ModelFolder.open(detector, role="detector"), ModelFolder.open(fingerprinter, role="fingerprinter")
        measured = measured_rates(*folders)
        return cls(
            device=DeviceProfile.load(device),
            models=Models.load(*folders),
            database=DatabaseSize(n_songs=n_songs),
            rates=measured if rates == "measured" else published_rates(measured),
            config=PhoneConfig(gate=GateConfig.from_dict(folders[0].manifest["gate"])),
            assumptions=load_assumptions(),
            latencies=None if latencies is None else PhoneLatencies.load(latencies),
            models_used=tuple(map(ModelIdentity.of, folders)),
        )

    @property
    def published(self) -> CostModel | None:
        """The published cost of listening and of a wake-up; None where none was published for the device."""
        return CostModel.published(self.device, self.models, self.database)

    @property
    def modelled(self) -> CostModel:
        """The cost modelled from the work."""
        return CostModel.modelled(self.device, self.models, self.database, self.latencies)

    def settings(self, architecture: Architecture | None = None) -> DaySettings:
        """Return the settings of simulated days, by default for the baseline."""
        return DaySettings(
            architecture=architecture if architecture is not None else baseline(self.modelled),
            rates=self.rates if self.database.n_songs else self.rates.without_names(),
            assumptions=self.assumptions.for_database(self.database.n_songs),
            config=self.config,
        )

    def simulate(
        self,
        day: str,
        n_days: int,
        *,
        architecture: Architecture | None = None,
        seed: int = 1,
        jobs: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> Days:
        """Return simulated days of this phone; see `simulate_days`.

        Raises
        ------
        ConfigError
            When another day is named than the study's own, or a number is out of its range.
        """
        scenario, settings = self.scenario, self.settings(architecture)
        name = scenario.name if scenario is not None else day
        if day not in {AVERAGE, name}:
            message = (
                f"this study has a kind of day of its own, {name!r}: leave out the day {day!r}, or the study's [day]"
            )
            raise ConfigError(message)
        return simulate_days(name, settings, n_days, seed=seed, jobs=jobs, scenario=scenario, progress=progress)

    def provenance(self, command: str, *, n_days: int, seed: int) -> Provenance:
        """Return where the figures of days of this study come from."""
        return Provenance(
            command=command,
            models=self.models_used,
            database=f"{self.database.n_songs:,} songs of {self.database.song_s:g} s, assumed",
            device=f"{self.device.title} ({self.device.name})",
            seed=seed,
            n_days=n_days,
            changed=self.changed,
        )

    def remarks(self) -> list[str]:
        """Return what a reader must know about this study's inputs before believing its figures."""
        n_songs, remarks = self.database.n_songs, []
        if n_songs == 0:
            remarks.append("The database is empty: the phone wakes up for music and names nothing.")
        if n_songs > _MOST_MEASURED_SONGS:
            gigabytes = n_songs * _BYTES_PER_SONG / 1e9
            remarks.append(
                f"No database of more than {_MOST_MEASURED_SONGS:,} songs was measured; {n_songs:,} songs take about "
                f"{gigabytes:.1f} GB on the device, and the error rates at that size are not known."
            )
        if n_songs not in {0, _SONGS_OF_RATES}:
            remarks.append(
                f"The share of music that a database of {counted(n_songs, 'song')} holds "
                f"({self.assumptions.for_database(n_songs).known_share:.2f}) follows from that of "
                f"{_SONGS_OF_RATES:,} ({self.assumptions.known_share:.2f}) by Zipf's law, an assumption."
            )
        if self.published is None:
            remarks.append(
                f"{self.device.title}: nobody published the energy of a wake-up; only modelled costs are shown."
            )
        return remarks

    def with_value(self, name: str, value: float) -> "Study":
        """Return the study with one figure at another value, such as ``"processor.resume_j"`` or ``"days.song_s"``.

        Raises
        ------
        ConfigError
            When there is no such figure, or the value cannot be.
        """
        figure_of(name).check(name, value)
        part, _, key = name.partition(".")
        if part == "published":
            message = f"{name}: what was published stays as it is; state processor.resume_j or another modelled figure"
            raise ConfigError(message)
        if name in self.device.constants:
            return self.on(self.device.with_constant(name, value))
        match part:
            case "days":
                return replace(self, assumptions=self.assumptions.with_value(key, value))
            case "detector" | "recognizer":
                return replace(self, rates=self.rates.with_value(key, value))
            case "gate":
                gate = replace(self.config.gate, **{key: value})  # type: ignore[arg-type]  # all of these are float
                return replace(self, config=replace(self.config, gate=gate))
            case "database":
                if value != int(value):
                    message = f"{name}: expected a whole number of songs, found {value:g}"
                    raise ConfigError(message)
                return replace(self, database=replace(self.database, n_songs=int(value)))
        message = f"{self.device.title} has no figure {name!r}: expected one of {', '.join(self.device.constants)}"
        raise ConfigError(message)

    def values(self) -> dict[str, float]:
        """Return the values of the figures that neither the device profile nor the assumptions state."""
        gate, rates = self.config.gate, self.rates
        return {
            "detector.recall_factor": rates.recall_factor,
            "recognizer.accepted": rates.accepted.value,
            "recognizer.unknown_accepted": rates.unknown_accepted.value,
            "recognizer.noise_accepted": rates.noise_accepted.value,
            "gate.cool_down_s": gate.cool_down_s,
            "gate.back_off_factor": gate.back_off_factor,
            "database.songs": self.database.n_songs,
        }

    def with_day(self, scenario: Scenario | None) -> "Study":
        """Return the study of a kind of day of one's own, where there is one."""
        return self if scenario is None else replace(self, scenario=scenario)

    def stating(self, values: Mapping[str, float]) -> "Study":
        """Return the study with figures that somebody states, and a note of each."""
        study = self
        for name, value in values.items():
            study = study.with_value(name, value)
            part, _, key = name.partition(".")
            if name in study.device.constants:
                stated = {**study.device.constants, name: self.device.constants[name].stated(value)}
                study = study.on(replace(study.device, constants=stated))
            elif part == "days":
                stated = {**study.assumptions.constants, key: self.assumptions.constants[key].stated(value)}
                study = replace(study, assumptions=replace(study.assumptions, constants=stated))
        return replace(study, changed=(*self.changed, *(f"{name}={value:g}" for name, value in values.items())))

    def architectures(self) -> list[Architecture]:
        """Return the architectures of this device, the baseline first."""
        return list(architectures_for(self.modelled).values())

    def on(self, device: DeviceProfile) -> "Study":
        """Return the same study on another device, whose latencies are estimated: those given are this device's own."""
        latencies = self.latencies if device.name == self.device.name else None
        return replace(self, device=device, latencies=latencies)
