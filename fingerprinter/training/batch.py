"""Fingerprint many files with several processes; free of TensorFlow, so that a worker starts at once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.processes import share_out

__all__ = ["embed_files"]


def embed_files(
    model: Path, paths: Sequence[Path], *, hop_s: float, cache_dir: Path, jobs: int
) -> list[NDArray[np.float32]]:
    """Fingerprint files, each an array (n, dim), in their order whatever the number of processes."""
    items = [(path, hop_s, cache_dir) for path in paths]
    return list(share_out(_embed, items, Fingerprinter.from_model, model, jobs=jobs))


def _embed(fingerprinter: Fingerprinter, item: tuple[Path, float, Path]) -> NDArray[np.float32]:
    path, hop_s, cache_dir = item
    return fingerprinter.embed(load_cached(path, cache_dir), hop_s)
