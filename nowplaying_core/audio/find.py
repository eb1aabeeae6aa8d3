"""Find audio files in folders."""

import logging
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["AUDIO_EXTENSIONS", "find_audio"]

_log = logging.getLogger(__name__)
_LIBSNDFILE = {
    ".aif",
    ".aifc",
    ".aiff",
    ".au",
    ".caf",
    ".flac",
    ".mp3",
    ".oga",
    ".ogg",
    ".opus",
    ".snd",
    ".w64",
    ".wav",
}
_FFMPEG = {".aac", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mp2", ".mp4", ".mpc", ".webm", ".wma", ".wv"}
AUDIO_EXTENSIONS = frozenset(_LIBSNDFILE | _FFMPEG)


def find_audio(paths: Iterable[Path]) -> list[Path]:
    """Return the files to read: files as given, folders expanded recursively.

    Parameters
    ----------
    paths : iterable of Path
        A file is kept whatever its extension, even when it is missing: reading it will say so by name.

    Returns
    -------
    list of Path
        In the order of `paths`, sorted within a folder, each file once. Hidden files and folders are left out, and
        linked folders are not followed, so that a loop of links ends.
    """
    found: dict[Path, None] = {}
    for path in paths:
        for file in _expand(Path(path)):
            found.setdefault(file)
    return list(found)


def _can_be_read(path: Path) -> bool:
    """Return False for pipes, devices and sockets, which a program could wait for without end."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return True  # reading it will say so by name
    if stat.S_ISREG(mode):
        return True
    if not stat.S_ISDIR(mode):
        _log.warning("%s: passed over, because it is no regular file", path)
    return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long; reading it will say so
        return False


def _expand(path: Path) -> Iterator[Path]:
    if not _is_folder(path):
        yield path
        return
    files: list[Path] = []
    # A folder that cannot be read stands in the list itself: reading it will say so by name.
    unreadable: list[Path] = []
    for folder, subfolders, names in os.walk(path, onerror=lambda error: unreadable.append(Path(error.filename))):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        visible = (name for name in names if not name.startswith("."))
        named = (Path(folder, name) for name in visible if Path(name).suffix.lower() in AUDIO_EXTENSIONS)
        files += [file for file in named if _can_be_read(file)]
    yield from sorted([*files, *unreadable])
