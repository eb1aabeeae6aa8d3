"""Plain ``.npy`` arrays: written synced, opened as memory maps after their header has been checked."""

import math
import os
import re
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nowplaying_core.errors import CorruptArtifactError

__all__ = ["RowFile", "open_array", "save_array", "sync_file"]

_MAX_HEADER_BYTES = 4096
_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<|][a-z][0-9])', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[0-9]{1,18},|[0-9]{1,18}(, [0-9]{1,18}){1,3})\), \} *\n"
)


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a C-ordered little-endian ``.npy`` file and sync it."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    with path.open("wb") as handle:
        np.lib.format.write_array(handle, np.ascontiguousarray(little), version=(1, 0), allow_pickle=False)
        handle.flush()
        os.fsync(handle.fileno())


class RowFile:
    """The rows of a two-dimensional ``.npy`` file, read where they are wanted instead of mapped.

    A page fault maps far more than the page: 64 KB around it, or 2 MB where the file lies in large pages. A thousand
    rows scattered over a large map would make all of it resident. Reads are positioned, so threads may share it.

    Parameters
    ----------
    path : Path
    dtype : numpy dtype
    shape : (int, int)
        What the manifest promises.

    Raises
    ------
    CorruptArtifactError
        As of :func:`open_array`.
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, int]) -> None:
        open_array(path, dtype, shape)
        self.shape = shape
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self._row_bytes = shape[1] * self.dtype.itemsize
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        self._offset = os.fstat(self._descriptor).st_size - shape[0] * self._row_bytes

    def ranges(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows of some ranges, one after the other, shape (sum of counts, width)."""
        sizes, offsets = counts * self._row_bytes, starts * self._row_bytes + self._offset
        reads = zip(sizes.tolist(), offsets.tolist(), strict=True)
        return self._rows([os.pread(self._descriptor, size, offset) for size, offset in reads], int(counts.sum()))

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return rows, shape (n, width)."""
        read, descriptor, size = os.pread, self._descriptor, self._row_bytes  # looked up once for a thousand rows
        return self._rows([read(descriptor, size, at) for at in (rows * size + self._offset).tolist()], rows.size)

    def _rows(self, parts: list[bytes], n: int) -> NDArray[Any]:
        read = b"".join(parts)
        if len(read) != n * self._row_bytes:
            message = f"{self._path}: ends before its last row; restore or rebuild the database"
            raise CorruptArtifactError(message)
        return np.frombuffer(read, self.dtype).reshape(n, self.shape[1])


def open_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Memory-map a ``.npy`` file read-only.

    Parameters
    ----------
    path : Path
    dtype : numpy dtype
        What the array must hold; another type is refused, never cast.
    shape : tuple of int, optional
        What the manifest promises.

    Raises
    ------
    CorruptArtifactError
        When the file is not a plain ``.npy`` array of that type and shape, or its data does not fill the file.
    """
    expected = np.dtype(dtype).newbyteorder("<")
    try:
        with path.open("rb") as handle:
            found, offset = _parse_header(handle.read(_MAX_HEADER_BYTES))
    except OSError as error:
        message = f"{path}: cannot be read ({error}); restore or rebuild the database"
        raise CorruptArtifactError(message) from error
    header = (expected.str, shape if shape is not None else found[1] if found else None)
    if found is None or found != header:
        message = f"{path}: expected a plain .npy array {header}, found {found}; restore or rebuild it"
        raise CorruptArtifactError(message)
    size = math.prod(found[1])
    if offset + size * expected.itemsize != path.stat().st_size:
        message = f"{path}: {path.stat().st_size} bytes do not fit an array {found[1]}; restore or rebuild it"
        raise CorruptArtifactError(message)
    if size == 0:
        return np.empty(found[1], expected)
    # A plain view: memmap's own indexing costs Python time on every small slice.
    return np.asarray(np.memmap(path, dtype=expected, mode="r", offset=offset, shape=found[1]))


def _parse_header(start: bytes) -> tuple[tuple[str, tuple[int, ...]] | None, int]:
    """Return (type, shape) and the data's offset; None unless it is the header that NumPy writes for such an array.

    NumPy's own reader evaluates the header as Python source, and raises whatever a damaged one leads to.
    """
    if start[:8] != b"\x93NUMPY\x01\x00" or len(start) < 10:
        return None, 0
    offset = 10 + int.from_bytes(start[8:10], "little")
    match = _HEADER.fullmatch(start[10:offset])
    if match is None or offset > len(start):
        return None, 0
    shape = tuple(int(number) for number in match["shape"].split(b",") if number.strip())
    return (match["type"].decode("ascii"), shape), offset


def sync_file(path: Path) -> None:
    """Flush a file that another library wrote to the disk."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())
