"""Fingerprint many files with several processes; free of TensorFlow, so that a worker starts at once."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio.cache import load_cached

__all__ = ["embed_files"]


def embed_files(model: Path, paths: Sequence[Path], *, hop_s: float, cache_dir: Path, jobs: int) -> NDArray[np.float32]:
    """Fingerprint files and stack all rows, in the files' order whatever the number of processes."""
    chunks = [list(paths[start::jobs]) for start in range(jobs)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_embed_chunk, model, chunk, hop_s, cache_dir) for chunk in chunks]
        parts = [future.result() for future in futures]
    ordered = [parts[index % jobs][index // jobs] for index in range(len(paths))]
    return np.concatenate(ordered)


def _embed_chunk(model: Path, paths: Sequence[Path], hop_s: float, cache_dir: Path) -> list[NDArray[np.float32]]:
    fingerprinter = Fingerprinter.from_model(model)
    return [fingerprinter.embed(load_cached(path, cache_dir), hop_s) for path in paths]
