"""Title, artist and identifiers from a file's tags, with the file's name where it has none."""

import logging
from pathlib import Path, PurePath

from nowplaying_core.audio import MemoryFile
from ondevice_db.format.track import Track

__all__ = ["read_track"]

_LOG = logging.getLogger(__name__)
_EXTERNAL_IDS = ("isrc", "barcode", "catalog_number")


def read_track(path: Path | MemoryFile, *, track_id: str, duration_s: float) -> Track:
    """Describe a recording by its tags.

    Parameters
    ----------
    path : Path or MemoryFile
        The audio file; tags that cannot be read are the same as none.
    track_id : str
        Hash of the decoded audio.
    duration_s : float >= 0, seconds
        Of the decoded audio, which is more reliable than what the container says.
    """
    from tinytag import TinyTag, TinyTagException

    title = artist = album = ""
    external_ids: dict[str, str] = {}
    try:
        in_memory = path.open() if isinstance(path, MemoryFile) else None
        tag = TinyTag.get(str(path), duration=False, file_obj=in_memory)
    except (TinyTagException, OSError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        _LOG.debug("%s: no readable tags (%s)", path, error)
    else:
        title, artist, album = ((text or "").strip() for text in (tag.title, tag.artist, tag.album))
        for name in _EXTERNAL_IDS:
            values = tag.other.get(name)
            if values:
                external_ids[name] = str(values[0]).strip()
    return Track(
        track_id=track_id,
        title=title or PurePath(str(path)).stem,
        artist=artist,
        album=album,
        duration_s=duration_s,
        source=str(path),
        external_ids=external_ids,
    )
