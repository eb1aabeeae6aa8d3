"""Play a shipped scene to the simulated phone and score_scene what it says."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import load, track_id
from nowplaying_core.errors import ConfigError
from ondevice_db.store.packs import open_packs
from simulator.phone.conditions import PhoneConditions
from simulator.phone.events import Event
from simulator.run import Setup, SimulationResult, hear, make_phone, watched
from simulator.scenes.recordings import demo_recordings
from simulator.scenes.scene import SoundKind, compose
from simulator.scenes.score_scene import score_scene
from simulator.scenes.scripts import SCENES

__all__ = ["simulate_scene"]

_CHUNK_SAMPLES = 1600


def simulate_scene(
    name: str,
    setup: Setup,
    *,
    seed: int = 1,
    on_event: Callable[[Event], None] | None = None,
    on_sound: Callable[[NDArray[np.float32]], None] | None = None,
) -> SimulationResult:
    """Compose a shipped scene, let the phone hear it, and compare its answers with the script.

    Parameters
    ----------
    name : str
        Key of `simulator.scenes.scripts.SCENES`.
    setup : Setup
        Music of the scene that its database does not hold should come out as unknown. The scene's own conditions
        replace its situation.
    seed : int
        Of the scene's room tone and rooms.
    on_event, on_sound : callable, optional
        Are told every event, and every chunk of sound before it is heard.

    Returns
    -------
    SimulationResult
        With its scene_results.

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
    costs = setup.costs()
    phone = make_phone(replace(setup, situation=PhoneConditions(scene.conditions)), answer_s=costs[1].answer_s)
    sound = watched(_chunks(composed.samples), on_sound)
    result = hear(phone, sound, name=scene.title, costs=costs, on_event=on_event)
    music = {used: track_id(recordings[used]) for used in recordings if shipped[used].kind is SoundKind.MUSIC}
    songs = open_packs(setup.database)
    known = {used: identity for used, identity in music.items() if songs.find(identity) is not None}
    return replace(result, scene_results=tuple(score_scene(scene, result.events, known)))


def _chunks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _CHUNK_SAMPLES):
        yield samples[start : start + _CHUNK_SAMPLES]
