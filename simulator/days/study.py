"""Settings of a study of days, loaded by name: device, models, database size, measured error rates."""

from dataclasses import dataclass, replace
from pathlib import Path

from detector.gate import GateConfig
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import ModelFolder
from simulator.days.architectures import Architecture, architectures_for, baseline
from simulator.days.day import DaySettings
from simulator.days.error_rates import ErrorRates, published_rates
from simulator.days.scenes import Assumptions, load_assumptions
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.config import PhoneConfig

__all__ = ["Study"]


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
    """

    device: DeviceProfile
    models: Models
    database: DatabaseSize
    rates: ErrorRates
    config: PhoneConfig
    assumptions: Assumptions
    latencies: PhoneLatencies | None = None

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
        n_songs : int >= 0
            Of the database.
        rates : str
            "measured", or "published" for the detector of Now Playing at its one operating point.
        latencies : Path or None
            JSON measured on a real phone; see `PhoneLatencies`.

        Raises
        ------
        NowPlayingError
            When a name is unknown or a file is damaged.
        """
        if rates not in {"measured", "published"}:
            message = f"rates: expected 'measured' or 'published', found {rates!r}"
            raise ConfigError(message)
        folders = ModelFolder.open(detector, role="detector"), ModelFolder.open(fingerprinter, role="fingerprinter")
        measured = ErrorRates.load(*folders)
        return cls(
            device=DeviceProfile.load(device),
            models=Models.load(*folders),
            database=DatabaseSize(n_songs=n_songs),
            rates=measured if rates == "measured" else published_rates(measured),
            config=PhoneConfig(gate=GateConfig.from_dict(folders[0].manifest["gate"])),
            assumptions=load_assumptions(),
            latencies=None if latencies is None else PhoneLatencies.load(latencies),
        )

    @property
    def published(self) -> CostModel:
        """The published cost of listening and of a wake-up."""
        return CostModel.published(self.device, self.models, self.database)

    @property
    def modelled(self) -> CostModel:
        """The cost modelled from the work."""
        return CostModel.modelled(self.device, self.models, self.database, self.latencies)

    def settings(self, architecture: Architecture | None = None) -> DaySettings:
        """Return the settings of simulated days, by default for the baseline."""
        return DaySettings(
            architecture=architecture if architecture is not None else baseline(self.modelled),
            rates=self.rates,
            assumptions=self.assumptions,
            config=self.config,
        )

    def architectures(self) -> list[Architecture]:
        """Return the architectures of this device, the baseline first."""
        return list(architectures_for(self.modelled).values())

    def on(self, device: DeviceProfile) -> "Study":
        """Return the same study on another device."""
        return replace(self, device=device)
