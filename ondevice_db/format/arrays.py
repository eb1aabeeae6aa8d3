"""Plain ``.npy`` arrays: written synced, opened as memory maps after their header has been checked."""

import errno
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nowplaying_core.errors import CorruptArtifactError

__all__ = ["RowFile", "open_array", "save_array", "sync_file"]

# Whatever NumPy's reader may raise on a damaged header.
_UNREADABLE = (
    *(OSError, ValueError, TypeError, SyntaxError, TokenError),
    *(OverflowError, MemoryError, RecursionError),
    UserWarning,  # of a header as Python 2 wrote it, where warnings are errors
)


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a C-ordered little-endian ``.npy`` file and sync it."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    with path.open("wb") as handle, _named_short_write(path):
        np.lib.format.write_array(handle, np.ascontiguousarray(little), version=(1, 0), allow_pickle=False)
        handle.flush()
        os.fsync(handle.fileno())


@contextmanager
def _named_short_write(path: Path) -> Iterator[None]:
    """NumPy tells a write that was cut short without the system's error: it is a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise


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
        # Reads a header of at most 10 kB with `ast.literal_eval`, and refuses objects, so that nothing is unpickled.
        array = np.lib.format.open_memmap(path, mode="r")
    except _UNREADABLE as error:
        message = f"{path}: cannot be read as a .npy array ({error}); restore or rebuild the database"
        raise CorruptArtifactError(message) from error
    plain = array.dtype == expected and array.flags.c_contiguous
    if not plain or (shape is not None and array.shape != shape):
        message = f"{path}: expected an array {expected.str} {shape}, found {array.dtype.str} {array.shape}; rebuild it"
        raise CorruptArtifactError(message)
    if array.offset + array.nbytes != path.stat().st_size:
        message = f"{path}: {path.stat().st_size} bytes do not fit an array {array.shape}; restore or rebuild it"
        raise CorruptArtifactError(message)
    # A plain view: memmap's own indexing costs Python time on every small slice.
    return np.asarray(array)


def sync_file(path: Path) -> None:
    """Flush a file that another library wrote to the disk."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())
