"""Bytes that a browser sends: bounded while they come, decoded from memory, and bounded again in seconds."""

from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from nowplaying_core.audio import SAMPLE_RATE_HZ, MemoryFile, open_stream
from nowplaying_core.errors import NowPlayingError

__all__ = ["MOST_BYTES", "MOST_SECONDS", "Clip", "TooLargeError", "read_body", "read_clip"]

MOST_BYTES = 64 << 20
"""Of a recording to recognize."""
MOST_SECONDS = 600
"""Of a recording to recognize; what is longer is cut there."""
_MOST_NAME = 200


class TooLargeError(NowPlayingError):
    """More was sent than is taken."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A decoded recording.

    Attributes
    ----------
    name : str
    samples : ndarray of float32, shape (n,), n >= 1, in [-1, 1]
        Mono at 16 kHz.
    is_cut : bool
        Whether the recording is longer.
    """

    name: str
    samples: NDArray[np.float32]
    is_cut: bool

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / SAMPLE_RATE_HZ


async def read_body(request: Request, most_bytes: int) -> MemoryFile:
    """Read what was sent, under the name in the header ``x-name`` (percent-encoded).

    Raises
    ------
    TooLargeError
        As soon as it is more than ``most_bytes``.
    """
    name = unquote(request.headers.get("x-name", ""))[:_MOST_NAME].strip() or "recording"
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) > most_bytes:
        raise _too_large(name, most_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise _too_large(name, most_bytes)
    return MemoryFile(name, bytes(body))


def read_clip(file: MemoryFile, most_seconds: float = MOST_SECONDS) -> Clip:
    """Decode a recording up to a length, leniently.

    Raises
    ------
    AudioFormatError
        When it cannot be read as audio.
    """
    blocks: list[NDArray[np.float32]] = []
    n_left = round(most_seconds * SAMPLE_RATE_HZ)
    is_cut = False
    with open_stream(file, chunk_samples=None, lenient=True) as source:
        for block in source:
            if n_left == 0:
                is_cut = True
                break
            blocks.append(block[:n_left])
            is_cut = block.size > n_left
            n_left -= blocks[-1].size
            if is_cut:
                break
    return Clip(file.name, np.concatenate(blocks), is_cut)


def _too_large(name: str, most_bytes: int) -> TooLargeError:
    return TooLargeError(f"{name}: larger than {most_bytes >> 20} MiB, the most that is taken here")
