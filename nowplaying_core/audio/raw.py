"""Samples on standard input: raw ones of a stated format, or a container that its first bytes reveal."""

import logging
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio.mpeg import tag_bytes
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ
from nowplaying_core.audio.sniff import kind_of
from nowplaying_core.errors import AudioFormatError, ConfigError

__all__ = ["RAW_FORMATS", "RawFormat", "begin", "raw_frames", "spooled", "wav_format"]

_log = logging.getLogger(__name__)
_BEGIN_BYTES = 8_192
_COPY_BYTES = 1 << 20
_MOST_BYTES = 1 << 34
_STREAMED_BYTES = 0x7FFF_0000

RAW_FORMATS = ("s16le", "s16be", "u8", "s8", "s24le", "s32le", "f32le")
"""Names as ffmpeg's."""

_WIDTHS = {"s16le": 2, "s16be": 2, "u8": 1, "s8": 1, "s24le": 3, "s32le": 4, "f32le": 4}


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFormat:
    """How samples without a header are stored.

    Attributes
    ----------
    rate_hz : int
    encoding : str
        One of `RAW_FORMATS`.
    n_channels : int >= 1
    n_bytes : int or None
        Of all samples, of which a last frame that is not whole is left out; None for those up to the end.
    """

    rate_hz: int = SAMPLE_RATE_HZ
    encoding: str = "s16le"
    n_channels: int = 1
    n_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.encoding not in RAW_FORMATS:
            message = f"raw format: expected one of {', '.join(RAW_FORMATS)}, found {self.encoding!r}"
            raise ConfigError(message)


def begin(stream: BinaryIO) -> tuple[bytes, str | None]:
    """Read the first bytes of a stream and return them with the container that they begin; None for raw samples."""
    data = stream.read(_BEGIN_BYTES)
    size = tag_bytes(data[:16]) if data[:3] == b"ID3" else 0
    if size:
        return data, "MPEG" if size >= len(data) else kind_of(data[size:], ends=False) or "MPEG"
    return data, kind_of(data, ends=len(data) < _BEGIN_BYTES)


def wav_format(data: bytes) -> tuple[RawFormat, int] | None:
    """Return the format of a WAV file's samples and where they begin; None where they are compressed or far behind."""
    at, found = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            tag, bits = int.from_bytes(body[:2], "little"), int.from_bytes(body[14:16], "little")
            if tag == 0xFFFE and len(body) >= 26:
                tag = int.from_bytes(body[24:26], "little")
            encoding = {(1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le"}
            if (tag, bits) not in encoding:
                return None
            n_channels, rate_hz = int.from_bytes(body[2:4], "little"), int.from_bytes(body[4:8], "little")
            if n_channels < 1:
                return None
            found = (rate_hz, encoding[tag, bits], n_channels)
        if name == b"data":
            if found is None:
                return None
            n_bytes = size if 0 < size < _STREAMED_BYTES else None
            rate_hz, kind, n_channels = found
            return RawFormat(rate_hz=rate_hz, encoding=kind, n_channels=n_channels, n_bytes=n_bytes), at + 8
        at += 8 + size + size % 2
    return None


def raw_frames(
    stream: BinaryIO, head: bytes, form: RawFormat, n_frames: int
) -> Generator[NDArray[np.float32], None, None]:
    """Yield raw samples as frames, shape (n, channels): first those already read, then the stream's."""
    width = _WIDTHS[form.encoding] * form.n_channels
    rest, left = head, None if form.n_bytes is None else form.n_bytes // width * width
    while left != 0:
        if len(rest) < width:
            more = stream.read(width * n_frames)
            if not more:
                break
            rest += more
        whole = len(rest) // width * width
        if left is not None:
            whole = min(whole, left)
            left -= whole
        data, rest = rest[:whole], rest[whole:]
        if data:
            yield _samples(data, form.encoding).reshape(-1, form.n_channels)
    if left != 0 and rest:
        _log.warning("standard input ended within a sample; its last %d bytes are ignored", len(rest))


def _samples(data: bytes, encoding: str) -> NDArray[np.float32]:
    # The scale of libsndfile, so that a pipe and a WAV file of the same PCM are the same samples.
    if encoding == "s24le":
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        scaled: NDArray[np.float32] = (padded.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
        return scaled
    if encoding == "u8":
        return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)
    if encoding == "f32le":
        return np.frombuffer(data, "<f4").astype(np.float32)
    kind, scale = {"s16le": ("<i2", 15), "s16be": (">i2", 15), "s8": ("i1", 7), "s32le": ("<i4", 31)}[encoding]
    return (np.frombuffer(data, kind) / np.float64(1 << scale)).astype(np.float32)


def spooled(stream: BinaryIO, head: bytes) -> Path:
    """Copy a stream to a temporary file, because its container is not read in order; the caller removes it."""
    with tempfile.NamedTemporaryFile(prefix="nowplaying-", suffix=".audio", delete=False) as copy:
        path = Path(copy.name)
        try:
            n_bytes = copy.write(head)
            while data := stream.read(_COPY_BYTES):
                n_bytes += copy.write(data)
                if n_bytes > _MOST_BYTES:
                    message = f"standard input: longer than {_MOST_BYTES >> 30} GiB; decode it to raw PCM first"
                    raise AudioFormatError(message)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path
