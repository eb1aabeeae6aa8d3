"""The shipped recordings of the demo: openly licensed music, talking and noise, checked before they are read."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nowplaying_core.artifacts import check_file, read_manifest
from nowplaying_core.errors import CorruptArtifactError
from simulator.scenes.scene import SoundKind

__all__ = ["DemoRecording", "demo_recordings"]

_FOLDER = Path(__file__).resolve().parent / "demo_assets"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoRecording:
    """One recording and whose it is.

    Attributes
    ----------
    name : str
        What scenes call it.
    path : Path
    kind : SoundKind
    indexed : bool
        Whether the demo's database holds it; music that it does not hold must come out as unknown.
    title, artist, licence, licence_url, source, changes : str
        The attribution that the licence asks for.
    """

    name: str
    path: Path
    kind: SoundKind
    indexed: bool
    title: str
    artist: str
    licence: str
    licence_url: str
    source: str
    changes: str


@cache
def demo_recordings() -> dict[str, DemoRecording]:
    """Return the shipped recordings by name.

    Raises
    ------
    CorruptArtifactError
        When a file is missing or differs from the manifest beside it.

    Examples
    --------
    >>> import nowplaying
    >>> song = nowplaying.demo_recordings()["fur-elise"]
    >>> song.title, song.artist, song.path.name
    ('Für Elise', 'Musopen', 'fur-elise.opus')
    """
    manifest = read_manifest(_FOLDER / "recordings.json", kind="demo-recordings", schema_version=_SCHEMA_VERSION)
    recordings: dict[str, DemoRecording] = {}
    for entry in manifest["recordings"]:
        if Path(entry["file"]).name != entry["file"]:
            message = f"{_FOLDER / 'recordings.json'}: {entry['file']!r} is not a plain file name"
            raise CorruptArtifactError(message)
        path = _FOLDER / entry["file"]
        check_file(path, entry)
        recordings[entry["name"]] = DemoRecording(
            name=entry["name"],
            path=path,
            kind=SoundKind(entry["kind"]),
            indexed=bool(entry["indexed"]),
            title=entry["title"],
            artist=entry["artist"],
            licence=entry["licence"],
            licence_url=entry["licence_url"],
            source=entry["source"],
            changes=entry["changes"],
        )
    return recordings
