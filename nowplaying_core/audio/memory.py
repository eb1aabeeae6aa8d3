"""A file that is in memory only, such as a recording that a browser sent: decoded like one on a disk."""

import io
from dataclasses import dataclass, field

__all__ = ["MemoryFile"]


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """The bytes of a file and its name; nothing of it is written anywhere.

    Parameters
    ----------
    name : str
        What messages call it.
    data : bytes
    """

    name: str
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return self.name

    def open(self, mode: str = "rb") -> io.BytesIO:  # noqa: ARG002 (a path is opened with a mode)
        """Return the bytes as a file that is open for reading."""
        return io.BytesIO(self.data)
