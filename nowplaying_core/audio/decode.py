"""Read audio files as blocks of frames at their own rate: libsndfile first, an installed ffmpeg for the rest."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from nowplaying_core.audio.ffmpeg import ffmpeg_frames, has_ffmpeg
from nowplaying_core.errors import AudioFormatError

__all__ = ["Frames", "open_frames"]

Frames = tuple[int, Iterator[NDArray[np.float32]]]
_BLOCK_VALUES = 1 << 17
# libsndfile shortens such a file in silence and tells only its log: "data : 96000 (should be 47978)".
_SHORTENED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_TOLERATED_BYTES = 4_096  # sloppy writers count a header or padding in
_STREAMED_BYTES = 0x7FFF_0000  # sizes from here on are what writers to a pipe put there, not knowing better
_UNKNOWN_FRAMES = (1 << 62) - 1  # libsndfile reports SF_COUNT_MAX (2**63 - 1) where a header states no length


def open_frames(path: Path) -> Frames:
    """Open a file and return its sample rate and an iterator over its frames.

    Parameters
    ----------
    path : Path

    Returns
    -------
    sample_rate_hz : int
    blocks : iterator of ndarray of float32, shape (n, channels)
        Closing the generator closes the file.

    Raises
    ------
    AudioFormatError
        When the file is missing, empty, unreadable or no audio; while iterating, when it is truncated or damaged.
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        message = f"{path}: cannot read this file ({error.strerror}); check the path and its permissions"
        raise AudioFormatError(message) from error
    if path.is_dir():
        message = f"{path}: expected an audio file, found a folder"
        raise AudioFormatError(message)
    if path.is_file() and size_bytes == 0:
        message = f"{path}: the file is empty (0 bytes); copy or download it again"
        raise AudioFormatError(message)
    try:
        sound = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        # TypeError: an extension such as .raw makes soundfile ask for a format instead of looking inside.
        return _by_ffmpeg(path, _reason(error))
    return int(sound.samplerate), _sound_frames(path, sound)


def _sound_frames(path: Path, sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    block_frames = max(1024, _BLOCK_VALUES // int(sound.channels))
    expected, found = int(sound.frames), 0
    with sound:
        _check_stated_bytes(path, sound.extra_info)
        while True:
            try:
                block = sound.read(block_frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                message = _truncated(path, expected, found, error.error_string)
                raise AudioFormatError(message) from error
            found += len(block)
            if len(block):
                yield block
            if len(block) < block_frames:
                break
    # Lengths of MP3 and Ogg are estimates, or include padding that the decoder drops: being short says nothing there.
    if sound.format not in {"MP3", "OGG"} and found < expected < _UNKNOWN_FRAMES:
        raise AudioFormatError(_truncated(path, expected, found, "the data ends early"))


def _check_stated_bytes(path: Path, log: str) -> None:
    match = _SHORTENED.search(log)
    if match is None:
        return
    stated, found = int(match[1]), int(match[2])
    if found + _TOLERATED_BYTES < stated < _STREAMED_BYTES:
        message = (
            f"{path}: truncated: expected {stated} bytes of samples as its header says, found {found}; copy it again"
        )
        raise AudioFormatError(message)


def _truncated(path: Path, expected: int, found: int, reason: str) -> str:
    detail = f" ({reason.strip()})" if reason.strip() else ""
    wanted = f"{expected} frames as its header says" if expected < _UNKNOWN_FRAMES else "more frames"
    return f"{path}: truncated or damaged: expected {wanted}, read only about {found}{detail}; copy or encode it again"


def _reason(error: Exception) -> str:
    # For content that looks like no format at all libsndfile wrongly reports error 7, "file does not exist".
    if getattr(error, "code", None) == 7:
        return "format not recognised"
    return str(getattr(error, "error_string", "") or error).strip()


def _by_ffmpeg(path: Path, reason: str) -> Frames:
    if not has_ffmpeg():
        message = (
            f"{path}: not an audio file that libsndfile reads ({reason}); ffmpeg, once installed, reads more formats"
        )
        raise AudioFormatError(message)
    try:
        return ffmpeg_frames(path)
    except AudioFormatError as error:
        message = f"{path}: not an audio file: libsndfile says {reason!r}, {error}; check what the file really is"
        raise AudioFormatError(message) from error
