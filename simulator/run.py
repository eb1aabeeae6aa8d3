"""One way to listen to anything: a file, a microphone, standard input or a scene through the simulated phone."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.gate import GateConfig
from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.audio import AudioSource, Sound, open_stream
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.text import clock, html_table
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import Songs
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.usage import LISTENING, Usage
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.conditions import PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answered, Event, MusicProbability
from simulator.phone.history import history_of
from simulator.phone.phone import Phone
from simulator.provenance import ModelIdentity, Provenance
from simulator.scenes.score_scene import SceneResult

__all__ = ["LEAST_MEAN_S", "Setup", "SimulationResult", "run_phone", "simulate_source", "watched"]

Samples = NDArray[np.float32]
LEAST_MEAN_S = 1.0
"""A shorter run has no mean current."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationResult:
    """The events of a run, and its energy.

    Attributes
    ----------
    source : str
        Name of the source, for titles.
    duration_s, wall_s : float, seconds
        Length of the sound, and how long the simulation took.
    events : sequence of Event
    usage : Usage
    published : CostModel or None
        With the published cost of a wake-up; None where none was published for the device.
    modelled : CostModel
        With the one modelled from the work of the models and the matcher.
    gate : GateConfig
        Of the phone.
    provenance : Provenance
    remarks : sequence of str
        What a reader must know about the inputs.
    scene_results : sequence of SceneResult
        One for each sound, where the source was a scene.

    Examples
    --------
    >>> import nowplaying
    >>> result = nowplaying.simulate("music.npdb", "query.wav")
    >>> result.findings()[:2]
    ['1 song named in 0:20.0 of sound.', '1 wake-up of the processor: 1 named a song, 0 did not.']
    """

    source: str
    duration_s: float
    wall_s: float
    events: Sequence[Event]
    usage: Usage
    published: CostModel | None
    modelled: CostModel
    gate: GateConfig
    provenance: Provenance
    remarks: Sequence[str] = ()
    scene_results: Sequence[SceneResult] = ()

    @property
    def device(self) -> DeviceProfile:
        """The device whose energy is counted."""
        return self.modelled.device

    @property
    def recognitions(self) -> list[Answered]:
        """The answers that name a song."""
        return [one for one in self.events if isinstance(one, Answered) and one.answer.match is not None]

    def _repr_html_(self) -> str:
        songs = [(one, one.match) for one in self.recognitions]
        rows = [
            (clock(one.time_s), song.title, song.artist, clock(song.offset_s), f"{song.score:.3f}")
            for one, song in songs
            if song is not None
        ]
        return html_table(("time", "title", "artist", "at", "score"), rows, numbers=(0, 3, 4))

    def findings(self) -> list[str]:
        """Return the findings in words, the most important first."""
        usage, device, elapsed_s = self.usage, self.device, self.usage.elapsed_s
        n_early = usage.n_early_looks
        total_mj, songs = usage.total_mj(self.modelled), history_of(self.events)
        n_named = len(self.recognitions)
        sentences = [
            f"{_count(len(songs), 'song')} named in {clock(elapsed_s)} of sound.",
            f"{_count(usage.n_wakes, 'wake-up')} of the processor: {n_named} named a song, "
            f"{usage.n_wakes - n_named} did not" + (f", after {_count(n_early, 'early look')}." if n_early else "."),
            f"{total_mj / 1000:.2f} J of energy ({device.mah(total_mj):.3f} mAh, {total_mj / 3600:.3f} mWh), "
            f"{device.battery_percent(total_mj):.4f} % of the battery ({device.title}).",
        ]
        if total_mj and elapsed_s >= LEAST_MEAN_S:
            listening = usage.always_on_mj(self.modelled)
            sentences.append(
                f"{100 * listening / total_mj:.0f} % of it was always on, whatever sounded; the mean current was "
                f"{1e6 * total_mj / 1000 / elapsed_s / device.battery.voltage_v:.0f} uA."
            )
        return sentences

    def to_dict(self) -> dict[str, Any]:
        """Return the result as one JSON object, without the probability track."""
        parts_mj = self.usage.by_cause_mj(self.modelled)
        energy_mj = {
            "listening": parts_mj[LISTENING],
            "wakes": sum(parts_mj.values()) - parts_mj[LISTENING],
            "total": sum(parts_mj.values()),
            "total_published": None if self.published is None else self.usage.total_mj(self.published),
        }
        components_mj = self.usage.by_component_mj(self.modelled)
        return {
            "provenance": self.provenance.to_dict(),
            "findings": self.findings(),
            "remarks": list(self.remarks),
            "source": self.source,
            "duration_s": round(self.duration_s, 3),
            "times_real_time": round(self.duration_s / max(self.wall_s, 1e-9), 1),
            "n_wakes": self.usage.n_wakes,
            "n_early_looks": self.usage.n_early_looks,
            "n_songs": len(history_of(self.events)),
            "energy_mj": {name: None if value is None else round(value, 3) for name, value in energy_mj.items()},
            "battery_percent": self.device.battery_percent(energy_mj["total"] or 0.0),
            "components_mj": {name: round(value, 3) for name, value in components_mj.items()},
            "device": self.device.name,
            "events": [event.to_dict() for event in self.events if not isinstance(event, MusicProbability)],
        }


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


def run_phone(
    phone: Phone,
    source: Iterable[Samples],
    *,
    name: str,
    published: CostModel | None,
    modelled: CostModel,
    provenance: Provenance | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> SimulationResult:
    """Let a phone listen to a source to its end.

    Parameters
    ----------
    phone : Phone
    source : iterable of ndarray of float32
        Chunks of mono sound at 16 kHz.
    name : str
        Name of the source.
    published : CostModel or None
    modelled : CostModel
    provenance : Provenance, optional
    on_event : callable, optional
        Called with every event as it happens.
    """
    events: list[Event] = []
    began_s = time.perf_counter()
    for event in phone.run(source):
        events.append(event)
        if on_event is not None:
            on_event(event)
    return SimulationResult(
        source=name,
        duration_s=phone.now_s,
        wall_s=time.perf_counter() - began_s,
        events=events,
        usage=replace(Usage.of_events(events), n_second_stage_runs=phone.n_second_stage_runs),
        published=published,
        modelled=modelled,
        gate=phone.config.gate,
        provenance=provenance or Provenance(command="", models=(), database="", device=modelled.device.title),
    )


def simulate_source(
    source: Sound | AudioSource,
    setup: Setup,
    *,
    command: str = "",
    on_event: Callable[[Event], None] | None = None,
    on_sound: Callable[[Samples], None] | None = None,
) -> SimulationResult:
    """Let the simulated phone listen to a file, a microphone or standard input.

    Parameters
    ----------
    source : str, Path or (samples, sample_rate_hz)
        A recording, ``"-"`` for raw PCM on standard input, ``"mic"`` or ``"mic:DEVICE"``.
        An opened stream is closed at the end.
    setup : Setup
    command : str
        That asked for the run, for its provenance.
    on_event, on_sound : callable, optional
        Called with every event, and with every chunk of sound before the phone gets it.
    """
    with source if isinstance(source, AudioSource) else open_stream(source) as stream:
        return run_phone(
            setup.make_phone(),
            watched(stream, on_sound),
            name=stream.name,
            published=setup.published,
            modelled=setup.modelled,
            provenance=setup.provenance(command),
            on_event=on_event,
        )


def watched(source: Iterable[Samples], on_sound: Callable[[Samples], None] | None) -> Iterator[Samples]:
    """Yield the chunks of a source, each after a callback has seen it."""
    for chunk in source:
        if on_sound is not None:
            on_sound(chunk)
        yield chunk


def _database_text(database: str | Path | Sequence[str | Path], songs: Songs) -> str:
    paths = [database] if isinstance(database, str | Path) else list(database)
    manifest = songs.manifest
    names = ", ".join(Path(path).name for path in paths)
    return (
        f"{names}: {_count(songs.n_songs, 'song')}, {manifest.n_fingerprints:,} fingerprints, embedding space "
        f"{manifest.embedding_space}"
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
