"""Play a shipped scene to the simulated phone and judge what it says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying.audio import load, track_id
from nowplaying.errors import ConfigError
from ondevice_db.packs import open_packs
from simulator.conditions import PhoneConditions
from simulator.device import DeviceProfile
from simulator.events import Event
from simulator.recordings import demo_recordings
from simulator.run import SimulationResult, hear, make_phone
from simulator.scene import SoundKind, compose
from simulator.scripts import SCENES
from simulator.verdict import judge

__all__ = ["simulate_scene"]

_CHUNK_SAMPLES = 1600


def simulate_scene(
    name: str,
    database: Path | Sequence[Path],
    *,
    seed: int = 1,
    device: DeviceProfile | None = None,
    detector: str | Path = "detector-v1",
    fingerprinter: str | Path = "fingerprinter-v1",
    on_event: Callable[[Event], None] | None = None,
) -> SimulationResult:
    """Compose a shipped scene, let the phone hear it, and compare its answers with the script.

    Parameters
    ----------
    name : str
        Key of `simulator.scripts.SCENES`.
    database : Path or sequence of Path
        Song database; music of the scene that it does not hold should come out as unknown.
    seed : int
        Of the scene's room tone and rooms.
    device, detector, fingerprinter, on_event
        See `simulator.run.hear` and `simulator.run.make_phone`.

    Returns
    -------
    SimulationResult
        With its findings.

    Raises
    ------
    ConfigError
        When there is no such scene.
    """
    if name not in SCENES:
        message = f"no scene is named {name!r}: expected one of {sorted(SCENES)}"
        raise ConfigError(message)
    scene = SCENES[name]
    shipped = demo_recordings()
    recordings = {used: load(shipped[used].path) for used in {sound.recording for sound in scene.sounds}}
    composed = compose(scene, recordings, np.random.default_rng(seed))
    situation = PhoneConditions(scene.conditions)
    phone = make_phone(database, detector=detector, fingerprinter=fingerprinter, situation=situation)
    result = hear(phone, _chunks(composed.samples), name=scene.title, device=device, on_event=on_event)
    music = {used: track_id(recordings[used]) for used in recordings if shipped[used].kind is SoundKind.MUSIC}
    songs = open_packs(database)
    known = {used: identity for used, identity in music.items() if songs.find(identity) is not None}
    return replace(result, findings=tuple(judge(scene, result.events, known)))


def _chunks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _CHUNK_SAMPLES):
        yield samples[start : start + _CHUNK_SAMPLES]
