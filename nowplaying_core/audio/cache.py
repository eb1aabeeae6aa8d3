"""A cache of decoded audio for experiments that read the same files many times."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_array
from nowplaying_core.audio.pcm import to_float32, to_int16
from nowplaying_core.audio.stream import load

__all__ = ["load_cached"]

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
    entry = Path(cache_dir) / f"{_key(Path(path))}.npy"
    try:
        pcm = np.load(entry, allow_pickle=False)
        if pcm.dtype == np.int16 and pcm.ndim == 1:
            return to_float32(pcm)
    except (OSError, ValueError, EOFError):
        pass  # missing or damaged: decode again and replace it
    pcm = to_int16(load(Path(path)))
    entry.parent.mkdir(parents=True, exist_ok=True)
    write_array(entry, pcm)
    return to_float32(pcm)


def _key(path: Path) -> str:
    resolved = path.resolve()
    try:
        status = resolved.stat()
    except OSError:
        return "missing"  # load() words the error
    identity = f"{_FORMAT}|{resolved}|{status.st_size}|{status.st_mtime_ns}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]
