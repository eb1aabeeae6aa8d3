"""One way to hear anything: a file, a microphone, standard input or a scene through the simulated phone."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying.audio import open_stream
from ondevice_db.packs import open_packs
from ondevice_db.recognizer import Recognizer
from simulator.conditions import Situation
from simulator.device import DeviceProfile
from simulator.energy import EnergyAccount
from simulator.events import Event, EventKind
from simulator.history import History
from simulator.phone import Phone, PhoneConfig
from simulator.verdict import Finding

__all__ = ["SimulationResult", "hear", "make_phone", "simulate_source"]


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
        With the published cost of a wake-up, and with the one modelled from the measured compute time.
    findings : sequence of Finding
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
    findings: Sequence[Finding] = ()

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
                "detector": round(self.account.detector_mj, 3),
                "wakes": round(self.account.wakes_mj, 3),
                "wakes_modelled": round(self.modelled_account.wakes_mj, 3),
                "total": round(self.account.total_mj, 3),
            },
            "device": self.device.name,
            "events": events,
        }


def make_phone(
    database: Path | Sequence[Path],
    *,
    detector: str | Path = "detector-v1",
    fingerprinter: str | Path = "fingerprinter-v1",
    situation: Situation | None = None,
) -> Phone:
    """Put the shipped models, or others, and a song database into a phone.

    Raises
    ------
    ArtifactError
        When a model or the database is damaged, or the two do not belong together.
    """
    prints = Fingerprinter.from_model(fingerprinter)
    songs = open_packs(database, prints.embedding_space)
    # The reference kernels equal a microcontroller bit for bit, and this is the DSP.
    listener = StreamingDetector.from_model(detector, reference_kernels=True)
    return Phone(listener, Recognizer(songs, prints), PhoneConfig(gate=listener.gate_config), situation)


def hear(
    phone: Phone,
    source: Iterable[NDArray[np.float32]],
    *,
    name: str,
    device: DeviceProfile | None = None,
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
    device : DeviceProfile, optional
        Whose energy is counted; a Pixel 2 by default.
    on_event : callable, optional
        Is told every event as it happens.
    """
    device = device if device is not None else DeviceProfile.load()
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
        history=phone.history,
        device=device,
        account=EnergyAccount.of_events(events, device),
        modelled_account=EnergyAccount.of_events(events, device, models_wakes=True),
    )


def simulate_source(
    source: str,
    database: Path | Sequence[Path],
    *,
    device: DeviceProfile | None = None,
    situation: Situation | None = None,
    detector: str | Path = "detector-v1",
    fingerprinter: str | Path = "fingerprinter-v1",
    on_event: Callable[[Event], None] | None = None,
) -> SimulationResult:
    """Let the simulated phone hear a file, a microphone or standard input.

    Parameters
    ----------
    source : str
        A path, ``"-"`` for raw PCM on standard input, ``"mic"`` or ``"mic:DEVICE"``.
    database : Path or sequence of Path
        Song database to recognize with; several are searched as one.
    device, situation, detector, fingerprinter, on_event
        See `hear` and `make_phone`.
    """
    phone = make_phone(database, detector=detector, fingerprinter=fingerprinter, situation=situation)
    with open_stream(source) as stream:
        return hear(phone, stream, name=stream.name, device=device, on_event=on_event)
