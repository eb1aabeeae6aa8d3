"""Read one part of an audio file with libsndfile, and check that it is as long as its header says."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from nowplaying_core.audio.joined import MpegRest, next_part, wav_data
from nowplaying_core.audio.memory import MemoryFile
from nowplaying_core.audio.mpeg import skip_tags
from nowplaying_core.audio.quiet import QuietStderr
from nowplaying_core.audio.sniff import sniff
from nowplaying_core.audio.window import FileWindow
from nowplaying_core.errors import AudioFormatError

__all__ = ["LibsndfilePart", "give_up"]

_log = logging.getLogger(__name__)
_BLOCK_VALUES = 1 << 17
_SMALL_BLOCK_VALUES = 1 << 13
# libsndfile shortens such a file in silence and tells only its log: "data : 96000 (should be 47978)".
_SHORTENED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_TOLERATED_BYTES = 4_096  # sloppy writers count a header or padding in
_STREAMED_BYTES = 0x7FFF_0000  # sizes from here on are what writers to a pipe put there, not knowing better
_UNKNOWN_FRAMES = (1 << 62) - 1  # libsndfile reports SF_COUNT_MAX (2**63 - 1) where a header states no length
# Of an MPEG file, bytes that are neither frames nor tags: more are no recording, or one that needs another look.
_MOST_SKIPPED, _MOST_SKIPPED_LENIENT = 0.03, 0.3


class LibsndfilePart:
    """One part of a file.

    Parameters
    ----------
    path : Path or MemoryFile
    start, end : int, bytes
        Where the part begins, and the latest where it may end.
    lenient : bool
        Where it is truncated or damaged, read what is there and log a warning.
    """

    def __init__(self, path: Path | MemoryFile, start: int, end: int, *, lenient: bool) -> None:
        self._path, self._start, self._end, self._lenient = path, start, end, lenient
        self._found = 0
        self._kind: str | None = None
        self._window: FileWindow | None = None
        self._is_mpeg = False
        self._quiet = QuietStderr()

    def open(self) -> soundfile.SoundFile | str:
        """Return the opened sound, or why libsndfile cannot open it."""
        path, start, end = self._path, self._start, self._end
        changes: dict[int, bytes] = {}
        with path.open("rb") as handle:
            self._kind = sniff(handle, start, end)
            if self._kind == "WAV":
                # libsndfile refuses a file where it finds another header among the chunks behind the samples.
                end = next_part(handle, self._kind, start, end) or end
                data = wav_data(handle, start, end)
                if data is not None and data[1] == 0 and end - data[2] >= 2:
                    # Left by a writer that was stopped before it came back to write the size.
                    changes[data[0] - start] = b"\xff\xff\xff\xff"
                    changes[skip_tags(handle, start, end) - start + 4] = b"\xff\xff\xff\xff"
                    _log.warning("%s: its header states no samples; all bytes behind it are read", path)
        try:
            with self._quiet.block():
                if start or changes or end < self._end or isinstance(path, MemoryFile):
                    self._window = FileWindow(path, start, end, changes)
                    sound = soundfile.SoundFile(self._window)
                else:
                    sound = soundfile.SoundFile(os.fsencode(path))
        except (soundfile.LibsndfileError, OSError, TypeError) as error:
            # TypeError: an extension such as .raw makes soundfile ask for a format instead of looking inside.
            if self._window is not None:
                self._window.close()
            return _reason(error)
        if sound.format == "RAW":
            # By its name alone, such as .au or .vox, libsndfile takes anything for samples without a header.
            sound.close()
            return "format not recognised"
        self._is_mpeg = sound.format == "MP3"
        if self._is_mpeg and self._kind != "MPEG":
            # libsndfile finds frames by chance in data of many kinds.
            sound.close()
            return f"no MPEG frames follow each other in it; it begins like {self._kind or 'no audio file'}"
        return sound

    def frames(self, sound: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
        """Yield the frames of the opened sound, and check that they are all that the header states."""
        path, lenient = self._path, self._lenient
        # An error costs the block in which it occurs.
        is_small = lenient or self._is_mpeg
        block_frames = max(1024, (_SMALL_BLOCK_VALUES if is_small else _BLOCK_VALUES) // int(sound.channels))
        expected = int(sound.frames)
        is_estimate = self._is_mpeg or sound.format == "OGG" or str(sound.subtype).startswith("MPEG")
        reason = ""
        try:
            if stated := _shortened_bytes(sound.extra_info):
                message = f"truncated: expected {stated[0]} bytes of samples as its header says, found {stated[1]}"
                give_up(f"{path}: {message}", lenient=lenient)
            while True:
                try:
                    with self._quiet.block() if self._is_mpeg else nullcontext():
                        block = sound.read(block_frames, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    reason = error.error_string.strip() or "the decoder gives up"
                    break
                self._found += len(block)
                if len(block):
                    yield block
                if len(block) < block_frames:
                    break
        finally:
            with self._quiet.block():
                sound.close()
            self._quiet.close()
            if self._window is not None:
                self._window.close()
        # Lengths of MP3 and Ogg are estimates, or include padding that the decoder drops: being short means nothing.
        if reason and not self._is_mpeg:
            give_up(_truncated(path, expected, self._found, reason), lenient=lenient)
        elif not is_estimate and self._found < expected < _UNKNOWN_FRAMES:
            give_up(_truncated(path, expected, self._found, "the data ends early"), lenient=lenient)

    def following(self) -> int | None:
        """Return where the next part begins, once all frames were read; None where this was the last."""
        with self._path.open("rb") as handle:
            if not self._is_mpeg:
                return next_part(handle, self._kind, self._start, self._end)
            rest = MpegRest(handle, self._start, self._end)
            if self._start == 0 and rest.skipped_share > 0:
                self._check_skipped(rest.skipped_share)
            return rest.after(self._start, self._found)

    def _check_skipped(self, share: float) -> None:
        text = f"{self._path}: {100 * share:.2g} % of its bytes are no MPEG frames and were left out"
        if share > (_MOST_SKIPPED_LENIENT if self._lenient else _MOST_SKIPPED):
            message = f"{text}; check what the file really is"
            raise AudioFormatError(message)
        if share > 0.001:
            _log.warning("%s", text)


def give_up(message: str, *, lenient: bool) -> None:
    """Refuse a damaged file, or log what is wrong with it where what was read is enough.

    Raises
    ------
    AudioFormatError
        Unless ``lenient``.
    """
    if lenient:
        _log.warning("%s; the rest is left out", message)
        return
    message = f"{message}; copy or encode it again"
    raise AudioFormatError(message)


def _shortened_bytes(log: str) -> tuple[int, int] | None:
    match = _SHORTENED.search(log)
    if match is None:
        return None
    stated, found = int(match[1]), int(match[2])
    return (stated, found) if found + _TOLERATED_BYTES < stated < _STREAMED_BYTES else None


def _truncated(path: Path | MemoryFile, expected: int, found: int, reason: str) -> str:
    wanted = f"{expected} frames as its header says" if expected < _UNKNOWN_FRAMES else "more frames"
    return f"{path}: truncated or damaged: expected {wanted}, read only about {found} ({reason})"


def _reason(error: Exception) -> str:
    # For content that looks like no format at all libsndfile wrongly reports error 7, "file does not exist".
    if getattr(error, "code", None) == 7:
        return "format not recognised"
    return str(getattr(error, "error_string", "") or error).strip()
