"""Let the phone listen: to a microphone as it happens, or to a recording in the simulator."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.audio import AudioSource, Sound, open_stream
from nowplaying_core.errors import ConfigError
from simulator.phone.events import Answered, Event
from simulator.phone_setup import Setup
from simulator.play import index_scene_songs, missing_songs, simulate_scene
from simulator.result import SimulationResult
from simulator.run import simulate_source

__all__ = ["Watch", "listen", "simulate"]

Watch = Callable[[Setup], tuple[Callable[[Event], None] | None, Callable[[NDArray[np.float32]], None] | None]]
"""Gets the opened phone, and returns what is called with every event and with every chunk of sound."""


def listen(
    database: str | Path | Sequence[str | Path],
    source: Sound | AudioSource = "mic",
    *,
    detector: str | Path = SHIPPED_DETECTOR,
    fingerprinter: str | Path = SHIPPED_FINGERPRINTER,
) -> Iterator[Answered]:
    """Listen all day, as the phone does, and yield each answer as it is given.

    Parameters
    ----------
    database : path or sequence of paths
        Folders NAME.npdb; several are searched as one.
    source : str, Path or (samples, sample_rate_hz)
        ``"mic"``, ``"mic:DEVICE"`` by number or name, ``"-"`` for raw 16 kHz PCM on standard input, or a recording.
        An opened stream is closed at the end.
    detector, fingerprinter : str or Path
        Shipped names or model folders.

    Yields
    ------
    Answered
        ``time_s`` counts from the beginning; ``match`` is None where the music is unknown.

    Raises
    ------
    AudioFormatError, DatabaseError, ArtifactError
        When the source, the database or a model cannot be used.
    MissingExtraError
        For a microphone without the mic extra.

    Examples
    --------
    >>> import nowplaying
    >>> [answer.match.title for answer in nowplaying.listen("music.npdb", "query.wav")]
    ['Cabin Fever']
    """
    setup = Setup.open(database, detector=detector, fingerprinter=fingerprinter, is_live=True)
    with source if isinstance(source, AudioSource) else open_stream(source, lenient=True) as stream:
        for event in setup.make_phone().run(stream):
            if isinstance(event, Answered):
                yield event


def simulate(
    database: str | Path | Sequence[str | Path],
    sound: Sound | AudioSource | None = None,
    *,
    scene: str | None = None,
    device: str | Path = "pixel-2",
    seed: int = 1,
    latencies: str | Path | None = None,
    detector: str | Path = SHIPPED_DETECTOR,
    fingerprinter: str | Path = SHIPPED_FINGERPRINTER,
    scene_songs: bool | Callable[[Sequence[str]], bool] = False,
    command: str = "",
    watch: Watch | None = None,
) -> SimulationResult:
    """Play a recording or a shipped scene to the simulated phone.

    Parameters
    ----------
    database : path or sequence of paths
        Folders NAME.npdb; several are searched as one.
    sound : str, Path or (samples, sample_rate_hz), optional
        A recording, ``"-"`` or ``"mic"``. An opened stream is closed at the end.
    scene : str, optional
        A shipped scene in place of a recording: evening.
    device : str or Path
        Shipped profile such as pixel-2, or a .toml file.
    seed : int >= 0
        Of a scene's room tone and rooms.
    latencies : str or Path, optional
        Log of benchmark_model on a real phone, or JSON.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    scene_songs : bool or callable
        Whether to index the scene's songs for this run where the databases lack them, or a callable that gets the names
        of those and decides.
    command : str
        That asked for the run, for its provenance.
    watch : callable, optional
        Gets the setup, and returns what is called with every event and with every chunk of sound.

    Returns
    -------
    SimulationResult
        States, wake-ups, songs, latency and energy.

    Raises
    ------
    ConfigError
        When not exactly one of ``sound`` and ``scene`` is given, or a name is unknown.
    AudioFormatError, DatabaseError, ArtifactError
        When the sound, the database or a model cannot be used.

    Examples
    --------
    >>> import nowplaying
    >>> result = nowplaying.simulate("music.npdb", "query.wav")
    >>> result.usage.n_wakes, [answer.match.title for answer in result.recognitions]
    (1, ['Cabin Fever'])
    """
    if (sound is None) == (scene is None):
        message = "simulate: expected either a recording or a scene (--scene NAME)"
        raise ConfigError(message)
    options: dict[str, Any] = {
        "detector": detector,
        "fingerprinter": fingerprinter,
        "device": device,
        "latencies": None if latencies is None else Path(latencies),
    }
    setup = Setup.open(database, **options)
    with ExitStack() as stack:
        missing = [] if scene is None else missing_songs(scene, setup.songs)
        names = [one.title for one in missing]
        if scene is not None and missing and (scene_songs(names) if callable(scene_songs) else scene_songs):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nowplaying-scene-"))
            songs = Path(folder) / "scene-songs.npdb"
            index_scene_songs(scene, songs, setup.songs.manifest.hop_s, fingerprinter)
            setup = Setup.open([*([database] if isinstance(database, str | Path) else database), songs], **options)
        on_event, on_sound = (None, None) if watch is None else watch(setup)
        watched: dict[str, Any] = {"command": command, "on_event": on_event, "on_sound": on_sound}
        if scene is not None:
            return simulate_scene(scene, setup, seed=seed, **watched)
        assert sound is not None  # noqa: S101 (checked above)
        return simulate_source(sound, setup, **watched)
