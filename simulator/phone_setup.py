"""A phone's models, databases and costs, opened and checked once for all its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.text import counted
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import Songs
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.conditions import PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.phone import Phone
from simulator.provenance import ModelIdentity, Provenance

__all__ = ["Setup"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """A phone's opened models and databases, and the costs of its device.

    Attributes
    ----------
    detector : StreamingDetector
    recognizer : Recognizer
    songs : Songs
        The recognizer's databases.
    published : CostModel or None
        None where no cost of a wake-up was published for this device.
    modelled : CostModel
        For this device, these models and these databases.
    models_used : tuple of ModelIdentity
    database : str
        The databases in words.
    is_live : bool
        Whether answers take no time on the clock of the sound, because they take real time.
    """

    detector: StreamingDetector
    recognizer: Recognizer
    songs: Songs
    published: CostModel | None
    modelled: CostModel
    models_used: tuple[ModelIdentity, ...]
    database: str
    is_live: bool = False

    @classmethod
    def open(
        cls,
        database: str | Path | Sequence[str | Path],
        *,
        detector: str | Path | ModelFolder = SHIPPED_DETECTOR,
        fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER,
        device: str | Path = "pixel-2",
        latencies: Path | None = None,
        is_live: bool = False,
    ) -> "Setup":
        """Open and check each model and database once.

        Parameters
        ----------
        database : path or sequence of paths
            Song database; several are searched as one.
        detector, fingerprinter : str, Path or ModelFolder
            Shipped names or model folders.
        device : str or Path
            Shipped profile, or a .toml file.
        latencies : Path or None
            Log of benchmark_model on a real phone, or JSON; see `PhoneLatencies`.
        is_live : bool

        Raises
        ------
        ArtifactError
            When a model or a database is damaged, or the two do not belong together.
        ConfigError
            When there is no such device or latencies cannot be read.
        """
        profile = DeviceProfile.load(device)
        measured = None if latencies is None else PhoneLatencies.load(latencies)
        folders = ModelFolder.open(detector, role="detector"), ModelFolder.open(fingerprinter, role="fingerprinter")
        network = Fingerprinter.from_model(folders[1])
        songs = open_packs(database, network.embedding_space)
        models = Models.load(*folders)
        size = DatabaseSize(n_songs=1, song_s=float(songs.manifest.n_fingerprints), hop_s=1.0)
        return cls(
            # The reference kernels equal a microcontroller bit for bit, and this is the DSP.
            detector=StreamingDetector.from_model(folders[0], reference_kernels=True),
            recognizer=Recognizer(songs, network),
            songs=songs,
            published=CostModel.published(profile, models, size),
            modelled=CostModel.modelled(profile, models, size, measured),
            models_used=tuple(map(ModelIdentity.of, folders)),
            database=_database_text(database, songs),
            is_live=is_live,
        )

    def provenance(self, command: str = "", seed: int | None = None) -> Provenance:
        """Return where the figures of a run of this phone come from."""
        device = self.modelled.device
        return Provenance(
            command=command,
            models=self.models_used,
            database=self.database,
            device=f"{device.title} ({device.name})",
            seed=seed,
        )

    def make_phone(self, conditions: PhoneConditions = PhoneConditions()) -> Phone:  # noqa: B008 (it is frozen)
        """Return a phone that may listen except under some conditions."""
        answer_s = 0.0 if self.is_live else self.modelled.answer_s
        config = PhoneConfig(gate=self.detector.gate_config)
        return Phone(self.detector, self.recognizer, config, conditions, answer_s=answer_s)


def _database_text(database: str | Path | Sequence[str | Path], songs: Songs) -> str:
    paths = [database] if isinstance(database, str | Path) else list(database)
    manifest = songs.manifest
    names = ", ".join(Path(path).name for path in paths)
    return (
        f"{names}: {counted(songs.n_songs, 'song')}, {manifest.n_fingerprints:,} fingerprints, embedding space "
        f"{manifest.embedding_space}"
    )
