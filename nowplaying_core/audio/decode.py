"""Read audio files as blocks of frames at their own rate: libsndfile first, an installed ffmpeg for the rest.

A file is read as what its first bytes say, whatever its name is, and to its end, also where it is several files joined.
"""

import logging
import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio.ffmpeg import ffmpeg_frames, has_ffmpeg
from nowplaying_core.audio.libsndfile import LibsndfilePart, give_up
from nowplaying_core.audio.memory import MemoryFile
from nowplaying_core.audio.mpeg import skip_tags, torn_tag_bytes
from nowplaying_core.audio.sniff import BY_FFMPEG, sniff
from nowplaying_core.errors import AudioFormatError

__all__ = ["Part", "open_parts"]

Part = tuple[int, Iterator[NDArray[np.float32]]]
_log = logging.getLogger(__name__)
_MOST_PARTS = 10_000
_NOT_REGULAR = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


def open_parts(path: Path | MemoryFile, *, lenient: bool = False) -> Generator[Part, None, None]:
    """Open a file and yield its parts: one, or several where files were joined or streams chained.

    Parameters
    ----------
    path : Path or MemoryFile
    lenient : bool
        Where a file is truncated or damaged, read what is there and log a warning that says how much is missing.

    Yields
    ------
    sample_rate_hz : int
    blocks : iterator of ndarray of float32, shape (n, channels)
        To be read before the next part is asked for; closing the generator closes the file.

    Raises
    ------
    AudioFormatError
        When the file is missing, empty, unreadable or no audio; while iterating, when it is truncated or damaged.
    """
    size_bytes = _check_regular(path)
    try:
        with path.open("rb") as handle:
            kind = sniff(handle, 0, size_bytes)
            start = 0 if kind != "MPEG" else torn_tag_bytes(handle, size_bytes)
            needs_ffmpeg = kind in BY_FFMPEG or (
                kind == "FLAC" and _flac_has_no_length(handle, size_bytes) and has_ffmpeg()
            )
    except OSError as error:
        message = f"{path}: cannot read this file ({error.strerror}); check its permissions"
        raise AudioFormatError(message) from error
    if needs_ffmpeg:
        yield _by_ffmpeg(path, f"it holds {kind}", lenient=lenient)
        return
    n_parts = 0
    while n_parts < _MOST_PARTS:
        part = LibsndfilePart(path, start, size_bytes, lenient=lenient)
        sound = part.open()
        if isinstance(sound, str):
            if n_parts == 0:
                yield _by_ffmpeg(path, sound, lenient=lenient)
                return
            give_up(f"{path}: its part from byte {start} on cannot be read ({sound})", lenient=lenient)
            return
        yield int(sound.samplerate), part.frames(sound)
        n_parts += 1
        following = part.following()
        if following is None:
            break
        _log.debug("%s: goes on with another part at byte %d", path, following)
        start = following


def _check_regular(path: Path | MemoryFile) -> int:
    if isinstance(path, MemoryFile):
        return _check_some(path, len(path.data))
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        message = f"{path}: cannot read this file ({getattr(error, 'strerror', error)}); check the path and permissions"
        raise AudioFormatError(message) from error
    if stat.S_ISDIR(status.st_mode):
        try:
            os.scandir(path).close()
        except OSError as error:
            message = f"{path}: cannot read this folder ({error.strerror}); check its permissions"
            raise AudioFormatError(message) from error
        message = f"{path}: expected an audio file, found a folder"
        raise AudioFormatError(message)
    for is_kind, name in _NOT_REGULAR.items():
        if is_kind(status.st_mode):
            message = f"{path}: expected an audio file, found {name}; to read from it, redirect it and name the input -"
            raise AudioFormatError(message)
    return _check_some(path, status.st_size)


def _check_some(path: Path | MemoryFile, size_bytes: int) -> int:
    if size_bytes == 0:
        message = f"{path}: the file is empty (0 bytes); copy or download it again"
        raise AudioFormatError(message)
    return size_bytes


def _flac_has_no_length(handle: BinaryIO, size_bytes: int) -> bool:
    handle.seek(skip_tags(handle, 0, size_bytes))
    head = handle.read(26)
    # 36 bits of the count of samples; libsndfile ends with an error where they are zero.
    return head[:4] == b"fLaC" and len(head) == 26 and not head[21] & 15 and not any(head[22:26])


def _by_ffmpeg(path: Path | MemoryFile, reason: str, *, lenient: bool) -> Part:
    if not has_ffmpeg():
        message = (
            f"{path}: not an audio file that libsndfile reads ({reason}); ffmpeg, once installed, reads more formats"
        )
        raise AudioFormatError(message)
    try:
        rate_hz, frames = ffmpeg_frames(path)
    except AudioFormatError as error:
        message = f"{path}: not an audio file: libsndfile says {reason!r}, {error}; check what the file really is"
        raise AudioFormatError(message) from error
    return rate_hz, _leniently(frames) if lenient else frames


def _leniently(frames: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    n_frames = 0
    try:
        for block in frames:
            n_frames += len(block)
            yield block
    except AudioFormatError as error:
        if n_frames == 0:
            raise
        _log.warning("%s; the rest is left out", error)
