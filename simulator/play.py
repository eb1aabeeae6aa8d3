"""Play a shipped scene to the simulated phone and score its answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import load, track_id
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import ModelFolder
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.store.store import Songs
from simulator.phone.conditions import PhoneConditions
from simulator.phone.events import Event
from simulator.phone_setup import Setup
from simulator.result import SimulationResult
from simulator.run import run_phone, watched
from simulator.scenes.recordings import DemoRecording, demo_recordings
from simulator.scenes.scene import Scene, SoundKind, compose
from simulator.scenes.score_scene import score_scene
from simulator.scenes.scripts import SCENES

__all__ = ["index_scene_songs", "missing_songs", "simulate_scene"]

_CHUNK_SAMPLES = 1600


def simulate_scene(
    name: str,
    setup: Setup,
    *,
    seed: int = 1,
    command: str = "",
    on_event: Callable[[Event], None] | None = None,
    on_sound: Callable[[NDArray[np.float32]], None] | None = None,
) -> SimulationResult:
    """Compose a shipped scene, play it to the phone, and compare the answers with the script.

    Parameters
    ----------
    name : str
        Key of `simulator.scenes.scripts.SCENES`.
    setup : Setup
        Music that its database does not hold should come out as unknown.
    seed : int
        Of the scene's room tone and rooms.
    command : str
        That asked for the run, for its provenance.
    on_event, on_sound : callable, optional
        Called with every event, and with every chunk of sound before the phone gets it.

    Returns
    -------
    SimulationResult
        With its scene results.

    Raises
    ------
    ConfigError
        When there is no such scene.
    """
    scene = _scene(name)
    shipped = demo_recordings()
    recordings = {used: load(shipped[used].path) for used in {sound.recording for sound in scene.sounds}}
    samples = compose(scene, recordings, np.random.default_rng(seed))
    result = run_phone(
        setup.make_phone(PhoneConditions(scene.conditions)),
        watched(_chunks(samples), on_sound),
        name=scene.title,
        published=setup.published,
        modelled=setup.modelled,
        provenance=setup.provenance(command, seed),
        on_event=on_event,
    )
    music = {used: track_id(recordings[used]) for used in recordings if shipped[used].kind is SoundKind.MUSIC}
    known = {used: identity for used, identity in music.items() if setup.songs.find(identity) is not None}
    return replace(result, scene_results=tuple(score_scene(scene, result.events, known)))


def missing_songs(name: str, songs: Songs) -> list[DemoRecording]:
    """Return the songs that a scene plays and that the shipped demo would index, but that databases lack.

    Raises
    ------
    ConfigError
        When there is no such scene.
    """
    shipped = demo_recordings()
    used = dict.fromkeys(sound.recording for sound in _scene(name).sounds)
    return [
        shipped[one] for one in used if shipped[one].indexed and songs.find(track_id(load(shipped[one].path))) is None
    ]


def index_scene_songs(
    name: str, database: Path, hop_s: float, fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER
) -> None:
    """Index the songs of a scene that the shipped demo would index.

    Parameters
    ----------
    name : str
        Of the scene.
    database : Path
        Database to make.
    hop_s : float > 0, seconds
        That of the databases beside which it is searched.
    fingerprinter : str, Path or ModelFolder
    """
    shipped = demo_recordings()
    used = dict.fromkeys(sound.recording for sound in _scene(name).sounds)
    paths = [shipped[one].path for one in used if shipped[one].indexed]
    index_paths(paths, database, Fingerprinter.from_model(fingerprinter), hop_s=hop_s)


def _scene(name: str) -> Scene:
    if name not in SCENES:
        message = f"scene: expected one of {', '.join(sorted(SCENES))}, found {name!r}"
        raise ConfigError(message)
    return SCENES[name]


def _chunks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _CHUNK_SAMPLES):
        yield samples[start : start + _CHUNK_SAMPLES]
