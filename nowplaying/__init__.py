"""nowplaying: an on-device music recognizer.

Everything here is loaded when it is first used, so that the import alone takes no time.

Examples
--------
>>> import nowplaying
>>> report = nowplaying.index("music", "songs.npdb")
>>> recognizer = nowplaying.Recognizer.open("songs.npdb")
>>> recognizer.recognize("query.wav").match.title
'Cabin Fever'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nowplaying_core import __version__

if TYPE_CHECKING:
    from detector.segments import Detection, Detector, Segment
    from fingerprinter.fingerprint import Fingerprinter
    from nowplaying.api.detect import detect
    from nowplaying.api.energy import EnergyDay, energy
    from nowplaying.api.index import index
    from nowplaying.api.phone import listen, simulate
    from nowplaying.api.recognize import recognize
    from nowplaying_core.audio.stream import load as load_audio
    from nowplaying_core.errors import (
        ArtifactError,
        AudioFormatError,
        ConfigError,
        CorruptArtifactError,
        DatabaseError,
        ManifestMismatchError,
        MissingExtraError,
        MissingPathError,
        NowPlayingError,
        ParityError,
        UnsupportedVersionError,
    )
    from ondevice_db.answer import Match, Recognition
    from ondevice_db.ingest.report import IndexReport
    from ondevice_db.recognizer import Recognizer
    from ondevice_db.store.store import SongDatabase
    from simulator.result import SimulationResult
    from simulator.scenes.recordings import demo_recordings

__all__ = [
    "ArtifactError",
    "AudioFormatError",
    "ConfigError",
    "CorruptArtifactError",
    "DatabaseError",
    "Detection",
    "Detector",
    "EnergyDay",
    "Fingerprinter",
    "IndexReport",
    "ManifestMismatchError",
    "Match",
    "MissingExtraError",
    "MissingPathError",
    "NowPlayingError",
    "ParityError",
    "Recognition",
    "Recognizer",
    "Segment",
    "SimulationResult",
    "SongDatabase",
    "UnsupportedVersionError",
    "__version__",
    "demo_recordings",
    "detect",
    "energy",
    "index",
    "listen",
    "load_audio",
    "recognize",
    "simulate",
]

_PLACES = {
    "Detection": "detector.segments",
    "Detector": "detector.segments",
    "EnergyDay": "nowplaying.api.energy",
    "Fingerprinter": "fingerprinter.fingerprint",
    "IndexReport": "ondevice_db.ingest.report",
    "Match": "ondevice_db.answer",
    "Recognition": "ondevice_db.answer",
    "Recognizer": "ondevice_db.recognizer",
    "Segment": "detector.segments",
    "SimulationResult": "simulator.result",
    "SongDatabase": "ondevice_db.store.store",
    "demo_recordings": "simulator.scenes.recordings",
    "detect": "nowplaying.api.detect",
    "energy": "nowplaying.api.energy",
    "index": "nowplaying.api.index",
    "listen": "nowplaying.api.phone",
    "load_audio": "nowplaying_core.audio.stream",
    "recognize": "nowplaying.api.recognize",
    "simulate": "nowplaying.api.phone",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module 'nowplaying' has no attribute {name!r}"
        raise AttributeError(message)
    module = import_module(_PLACES.get(name, "nowplaying_core.errors"))
    value = getattr(module, "load" if name == "load_audio" else name)
    globals()[name] = value  # the next use finds it at once
    return value


def __dir__() -> list[str]:
    return __all__
