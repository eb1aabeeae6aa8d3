"""Read other containers (M4A, WMA, video) through an installed ffmpeg, a process that gets local files or bytes."""

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio.memory import MemoryFile
from nowplaying_core.errors import AudioFormatError

__all__ = ["ffmpeg_frames", "has_ffmpeg"]

_BLOCK_BYTES = 1 << 19
_PROBE_TIMEOUT_S = 30
# What names other files instead of holding sound.
_LISTS = {"concat", "dash", "hls", "image2", "imf", "rtsp", "sdp", "webm_dash_manifest"}


def has_ffmpeg() -> bool:
    """Return whether both ``ffmpeg`` and ``ffprobe`` are on the path."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def ffmpeg_frames(path: Path | MemoryFile) -> tuple[int, Iterator[NDArray[np.float32]]]:
    """Open a file's first audio stream.

    Parameters
    ----------
    path : Path or MemoryFile
        Bytes go through a pipe, where formats that are read from their end (some M4A) cannot be.

    Returns
    -------
    sample_rate_hz : int
    blocks : iterator of ndarray of float32, shape (n, channels)

    Raises
    ------
    AudioFormatError
        When ffmpeg finds no audio stream; while iterating, when it ends with an error.
    """
    sample_rate_hz, n_channels = _probe(path)
    return sample_rate_hz, _pipe(path, n_channels)


def _address(path: Path | MemoryFile) -> str:
    return "pipe:0" if isinstance(path, MemoryFile) else f"file:{path.resolve()}"


def _input_options(path: Path | MemoryFile) -> list[str]:
    # A playlist may name other files and addresses: only the input may be opened, and only as what it is.
    address = _address(path)
    return ["-v", "error", "-protocol_whitelist", address.partition(":")[0], "-i", address]


def _probe(path: Path | MemoryFile) -> tuple[int, int]:
    command = ["ffprobe", *_input_options(path), "-select_streams", "a:0"]
    command += ["-show_entries", "stream=sample_rate,channels:format=format_name", "-of", "json"]
    try:
        given = path.data if isinstance(path, MemoryFile) else b""
        done = subprocess.run(command, input=given, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        message = f"ffprobe did not answer within {_PROBE_TIMEOUT_S} s"
        raise AudioFormatError(message) from error
    try:
        found = json.loads(done.stdout)
        stream, kinds = found["streams"][0], set(str(found["format"]["format_name"]).split(","))
        sample_rate_hz, n_channels = int(stream["sample_rate"]), int(stream["channels"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        message = f"ffmpeg says {_last_line(done.stderr, path) or 'there is no audio stream in it'!r}"
        raise AudioFormatError(message) from error
    if kinds & _LISTS:
        message = f"ffmpeg finds a list of other files ({', '.join(sorted(kinds))}); name those"
        raise AudioFormatError(message)
    if sample_rate_hz < 1 or n_channels < 1:
        message = f"ffmpeg finds an impossible stream ({sample_rate_hz} Hz, {n_channels} channels)"
        raise AudioFormatError(message)
    return sample_rate_hz, n_channels


def _pipe(path: Path | MemoryFile, n_channels: int) -> Iterator[NDArray[np.float32]]:
    command = ["ffmpeg", "-nostdin", *_input_options(path), "-map", "0:a:0", "-f", "f32le", "-"]
    frame_bytes = 4 * n_channels
    block_bytes = max(1, _BLOCK_BYTES // frame_bytes) * frame_bytes
    # stderr goes to a file: a pipe that nobody reads while samples flow could fill up and stop ffmpeg.
    given = subprocess.PIPE if isinstance(path, MemoryFile) else subprocess.DEVNULL
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        if isinstance(path, MemoryFile) and process.stdin is not None:
            threading.Thread(target=_feed, args=(process.stdin, path.data), daemon=True).start()
        stdout: IO[bytes] = process.stdout  # type: ignore[assignment]
        try:
            while data := stdout.read(block_bytes):
                whole = len(data) - len(data) % frame_bytes
                yield np.frombuffer(data[:whole], dtype="<f4").reshape(-1, n_channels)
            status = process.wait()
        finally:
            process.kill()
        if status != 0:
            log.seek(0)
            message = f"{path}: ffmpeg ended with status {status}: {_last_line(log.read(), path)}"
            raise AudioFormatError(message)


def _feed(stdin: IO[bytes], data: bytes) -> None:
    with suppress(OSError), stdin:  # ffmpeg may have read enough, or have given up
        stdin.write(data)


def _last_line(output: bytes, path: Path | MemoryFile) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix(f"{_address(path)}: ").strip() if lines else ""
