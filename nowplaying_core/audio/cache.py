"""A cache of decoded audio for experiments that read the same files many times."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_array
from nowplaying_core.audio.pcm import to_float32, to_int16
from nowplaying_core.audio.stream import load

__all__ = ["file_identity", "load_cached", "map_cached"]

_FORMAT = "int16-16k-v1"  # changes whenever decoding gives other samples


def load_cached(path: Path, cache_dir: Path) -> NDArray[np.float32]:
    """Return a file's samples, decoded at most once for each path, size and modification time.

    Parameters
    ----------
    path : Path
    cache_dir : Path
        Made when missing; holds one int16 ``.npy`` (32 kB a second) for each file.

    Returns
    -------
    ndarray of float32, shape (n,), in [-1, 1]
        Mono at 16 kHz, rounded to 16 bits, on the first call as on the next.

    Raises
    ------
    AudioFormatError
        When the file cannot be read.
    """
    return to_float32(_decoded(path, cache_dir, None))


def map_cached(path: Path, cache_dir: Path) -> NDArray[np.int16]:
    """Return what :func:`load_cached` does as int16 that stays in the file: memory is used only for what is read.

    Thousands of hours can be held so, and the operating system may forget what it has read.
    """
    return np.asarray(_decoded(path, cache_dir, "r"))


def file_identity(path: Path) -> str:
    """Return a file's resolved path, size and modification time: what is kept of another version is not its own."""
    resolved = path.resolve()
    try:
        status = resolved.stat()
    except OSError:
        return f"{resolved}|missing"  # who reads it words the error
    return f"{resolved}|{status.st_size}|{status.st_mtime_ns}"


def _decoded(path: Path, cache_dir: Path, mmap_mode: Literal["r"] | None) -> NDArray[np.int16]:
    name = hashlib.sha256(os.fsencode(f"{_FORMAT}|{file_identity(Path(path))}")).hexdigest()[:32]
    entry = Path(cache_dir) / f"{name}.npy"
    try:
        pcm: NDArray[np.int16] = np.load(entry, mmap_mode=mmap_mode, allow_pickle=False)
        if pcm.dtype == np.int16 and pcm.ndim == 1:
            return pcm
    except (OSError, ValueError, EOFError):
        pass  # missing or damaged: decode again and replace it
    pcm = to_int16(load(Path(path)))
    entry.parent.mkdir(parents=True, exist_ok=True)
    write_array(entry, pcm)
    return pcm if mmap_mode is None else np.load(entry, mmap_mode=mmap_mode, allow_pickle=False)
