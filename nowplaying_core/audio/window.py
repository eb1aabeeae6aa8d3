"""A part of a file as a file of its own, with bytes of its header put right: what libsndfile reads of joined files."""

import io
from collections.abc import Mapping
from pathlib import Path

from nowplaying_core.audio.memory import MemoryFile

__all__ = ["FileWindow"]


class FileWindow(io.RawIOBase):
    """Read-only bytes of a file from one position to another.

    Parameters
    ----------
    path : Path or MemoryFile
    start, end : int
        Positions in the file.
    changes : mapping of int to bytes
        Bytes to read at positions of the window in place of the file's.
    """

    def __init__(
        self, path: Path | MemoryFile, start: int, end: int, changes: Mapping[int, bytes] | None = None
    ) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start, self._size = start, end - start
        self._changes = dict(changes or {})
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position within the window."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the window."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the position on; 0 at the end."""
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = bytearray(self._file.read(wanted))
        for position, content in self._changes.items():
            for number, value in enumerate(content):
                if 0 <= position + number - self._at < len(data):
                    data[position + number - self._at] = value
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
