"""One way to hear anything: a file, a microphone, standard input or a scene through the simulated phone."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.audio import open_stream
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.packs import open_packs
from simulator.energy.account import EnergyAccount
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.conditions import Situation
from simulator.phone.events import Event, EventKind
from simulator.phone.history import History
from simulator.phone.phone import Phone, PhoneConfig
from simulator.scenes.score_scene import SceneResult

__all__ = ["Setup", "SimulationResult", "hear", "make_phone", "simulate_source", "watched"]

Samples = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationResult:
    """What a phone heard.

    Attributes
    ----------
    source : str
        What it listened to, for titles.
    duration_s, wall_s : float, seconds
        Length of the sound, and how long the simulation took.
    events : sequence of Event
    history : History
    device : DeviceProfile
    account, modelled_account : EnergyAccount
        With the published cost of a wake-up, and with the one modelled from what the models and the matcher compute.
    scene_results : sequence of SceneResult
        Against the script, where the source was a scene.
    """

    source: str
    duration_s: float
    wall_s: float
    events: Sequence[Event]
    history: History
    device: DeviceProfile
    account: EnergyAccount
    modelled_account: EnergyAccount
    scene_results: Sequence[SceneResult] = ()

    @property
    def recognitions(self) -> list[Event]:
        """The events that name a song."""
        return [event for event in self.events if event.kind is EventKind.RECOGNIZED]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as one JSON object, without the probability track."""
        events = [event.to_dict() for event in self.events if event.kind is not EventKind.PROBABILITY]
        return {
            "source": self.source,
            "duration_s": round(self.duration_s, 3),
            "times_real_time": round(self.duration_s / max(self.wall_s, 1e-9), 1),
            "n_wakes": self.account.n_wakes,
            "energy_mj": {
                "detector": round(self.account.listening_mj, 3),
                "wakes": round(self.account.wakes_mj, 3),
                "wakes_modelled": round(self.modelled_account.wakes_mj, 3),
                "total": round(self.account.total_mj, 3),
                "total_modelled": round(self.modelled_account.total_mj, 3),
            },
            "components_mj": {
                name: round(energy_mj, 3) for name, energy_mj in self.modelled_account.by_component_mj.items()
            },
            "device": self.device.name,
            "events": events,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """Whose phone hears, with which models.

    Attributes
    ----------
    database : Path or sequence of Path
        Song database to recognize with; several are searched as one.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    device : DeviceProfile
        Whose energy is counted; a Pixel 2 by default.
    situation : Situation or None
        When the phone must not listen.
    latencies : PhoneLatencies or None
        Measured on a real phone, in place of the estimate.
    is_live : bool
        Whether answers take no time on the clock of the sound, because they take real time.
    """

    database: Path | Sequence[Path]
    detector: str | Path = SHIPPED_DETECTOR
    fingerprinter: str | Path = SHIPPED_FINGERPRINTER
    device: DeviceProfile = field(default_factory=DeviceProfile.load)
    situation: Situation | None = None
    latencies: PhoneLatencies | None = None
    is_live: bool = False

    def costs(self) -> tuple[CostModel, CostModel]:
        """Return the published and the modelled costs of this device, these models and this database."""
        models = Models.load(self.detector, self.fingerprinter)
        manifest = open_packs(self.database).manifest
        size = DatabaseSize(n_songs=1, song_s=float(manifest.n_fingerprints), hop_s=1.0)
        modelled = CostModel.modelled(self.device, models, size, self.latencies)
        return CostModel.published(self.device, models, size), modelled


def make_phone(setup: Setup, *, answer_s: float = 0.0) -> Phone:
    """Put models and a song database into a phone.

    Raises
    ------
    ArtifactError
        When a model or the database is damaged, or the two do not belong together.
    """
    prints = Fingerprinter.from_model(setup.fingerprinter)
    songs = open_packs(setup.database, prints.embedding_space)
    # The reference kernels equal a microcontroller bit for bit, and this is the DSP.
    listener = StreamingDetector.from_model(setup.detector, reference_kernels=True)
    config = PhoneConfig(gate=listener.gate_config)
    return Phone(listener, Recognizer(songs, prints), config, setup.situation, answer_s=answer_s)


def hear(
    phone: Phone,
    source: Iterable[Samples],
    *,
    name: str,
    costs: tuple[CostModel, CostModel],
    on_event: Callable[[Event], None] | None = None,
) -> SimulationResult:
    """Let a phone hear a source to its end.

    Parameters
    ----------
    phone : Phone
    source : iterable of ndarray of float32
        Chunks of mono sound at 16 kHz.
    name : str
        What to call the source.
    costs : pair of CostModel
        Published and modelled, as `Setup.costs` returns them.
    on_event : callable, optional
        Is told every event as it happens.
    """
    events: list[Event] = []
    began_s = time.perf_counter()
    for event in phone.run(source):
        events.append(event)
        if on_event is not None:
            on_event(event)
    published, modelled = costs
    return SimulationResult(
        source=name,
        duration_s=phone.now_s,
        wall_s=time.perf_counter() - began_s,
        events=events,
        history=phone.history,
        device=published.device,
        account=EnergyAccount.of_events(events, published),
        modelled_account=EnergyAccount.of_events(events, modelled),
    )


def simulate_source(
    source: str,
    setup: Setup,
    *,
    on_event: Callable[[Event], None] | None = None,
    on_sound: Callable[[Samples], None] | None = None,
) -> SimulationResult:
    """Let the simulated phone hear a file, a microphone or standard input.

    Parameters
    ----------
    source : str
        A path, ``"-"`` for raw PCM on standard input, ``"mic"`` or ``"mic:DEVICE"``.
    setup : Setup
    on_event, on_sound : callable, optional
        Are told every event, and every chunk of sound before it is heard.
    """
    costs = setup.costs()
    phone = make_phone(setup, answer_s=0.0 if setup.is_live else costs[1].answer_s)
    with open_stream(source) as stream:
        return hear(phone, watched(stream, on_sound), name=stream.name, costs=costs, on_event=on_event)


def watched(source: Iterable[Samples], on_sound: Callable[[Samples], None] | None) -> Iterator[Samples]:
    """Hand chunks on, and show each of them to somebody first."""
    for chunk in source:
        if on_sound is not None:
            on_sound(chunk)
        yield chunk
