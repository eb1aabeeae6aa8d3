"""Plain ``.npy`` arrays: written synced, opened as memory maps after their header has been checked."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nowplaying.errors import CorruptArtifactError

__all__ = ["open_array", "save_array", "sync_file"]


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write a C-ordered little-endian ``.npy`` file and sync it."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    with path.open("wb") as handle:
        np.lib.format.write_array(handle, np.ascontiguousarray(little), version=(1, 0), allow_pickle=False)
        handle.flush()
        os.fsync(handle.fileno())


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
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError) as error:
        message = f"{path}: not a plain .npy array ({error}); restore or rebuild the database"
        raise CorruptArtifactError(message) from error
    if not isinstance(array, np.memmap):
        message = f"{path}: expected one .npy array, found {type(array).__name__}; restore or rebuild the database"
        raise CorruptArtifactError(message)
    expected = np.dtype(dtype).newbyteorder("<")
    if array.dtype != expected or not array.flags.c_contiguous or (shape is not None and array.shape != shape):
        message = f"{path}: expected {expected} {shape}, found {array.dtype} {array.shape}; restore or rebuild it"
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
