"""The metadata of one recording."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nowplaying_core.errors import ConfigError

__all__ = ["Track"]

_TRACK_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One recording.

    Attributes
    ----------
    track_id : str
        First 16 hex digits of the SHA-256 of the decoded 16 kHz int16 PCM.
    title, artist, album : str
        Empty when unknown; ``title`` falls back to the file name.
    duration_s : float >= 0, seconds
    source : str
        Where the recording came from: usually the file's path, absolute or from the folder in which the database lies.
    external_ids : mapping of str to str
        Identifiers in other catalogues, such as ``{"isrc": ...}``.
    """

    track_id: str
    title: str = ""
    artist: str = ""
    album: str = ""
    duration_s: float = 0.0
    source: str = ""
    external_ids: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _TRACK_ID.fullmatch(self.track_id):
            message = f"track_id: expected 16 lower-case hex digits, found {self.track_id!r}"
            raise ConfigError(message)
        if not (math.isfinite(self.duration_s) and self.duration_s >= 0):
            message = f"duration_s: expected a finite number >= 0, found {self.duration_s!r}"
            raise ConfigError(message)

    @property
    def name(self) -> str:
        """The song as one reads it everywhere: "title - artist", or the title alone."""
        return " - ".join(part for part in (self.title, self.artist) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "external_ids": dict(self.external_ids)}
