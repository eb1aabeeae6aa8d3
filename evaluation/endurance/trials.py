"""What the endurance trials share: small databases from a seed, and work in a process that may crash or hang."""

import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ondevice_db.format.layouts import CodeKind
from ondevice_db.format.track import Track
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings

__all__ = ["TRIAL_SETTINGS", "Ended", "forked", "trial_codebook", "trial_database", "trial_song", "trial_track"]

_DIM = 24
_N_SUBSPACES = 6
_RESIDUAL_BYTES = 7  # need not divide the dimensions
TRIAL_SETTINGS = FingerprintSettings(embedding_space="trial", encoder="trial", dim=_DIM, hop_s=1.0, window_s=2.0)


def trial_track(number: int) -> Track:
    """Return the metadata of a song of the trials."""
    return Track(track_id=f"{number:016x}", title=f"Song {number}", artist="Trial", duration_s=20.0)


def trial_song(number: int) -> NDArray[np.float32]:
    """Return a song's fingerprints: 12 to 27 random unit vectors, the third of them silent."""
    rng = np.random.default_rng([77, number])
    vectors = l2_normalize(rng.standard_normal((12 + number % 16, _DIM)))
    vectors[2] = 0
    return vectors


def trial_codebook(seed: int = 0, kind: CodeKind = "product") -> Codebook:
    """Return a codebook of 16 cells that is good enough to distinguish the songs."""
    rng = np.random.default_rng([78, seed])
    if kind == "residual":
        # Each byte's words are about as long as what those before leave over.
        lengths = 0.8 ** np.arange(_RESIDUAL_BYTES)[:, None, None] / _DIM**0.5
        words = (lengths * rng.standard_normal((_RESIDUAL_BYTES, 256, _DIM))).astype(np.float32)
        centroids = l2_normalize(rng.standard_normal((16, _DIM)))
        # Neighbors count, each dimension otherwise, and less than the fingerprint itself.
        smoothing = unsmoothed(_DIM) + (0.04 * rng.standard_normal((3 * _DIM + 1, _DIM))).astype(np.float32)
        return Codebook(centroids, _rotation(rng), words, smoothing=smoothing)
    rotation = _rotation(rng)
    parts = rng.standard_normal((_N_SUBSPACES, 256, _DIM // _N_SUBSPACES)).astype(np.float32) / np.float32(_DIM**0.5)
    return Codebook(l2_normalize(rng.standard_normal((16, _DIM))), rotation, parts)


def _rotation(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.linalg.qr(rng.standard_normal((_DIM, _DIM)))[0].astype(np.float32)


def trial_database(path: Path, numbers: range, layout: str = "pq", kind: CodeKind = "product") -> Path:
    """Write a database of some of the trials' songs."""
    codebook = trial_codebook(kind=kind)
    with DatabaseWriter(path, settings=TRIAL_SETTINGS, codebook=codebook, layout=layout, n_trees=2) as writer:
        for number in numbers:
            writer.add(trial_track(number), trial_song(number))
        writer.finish()
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a process ended.

    Attributes
    ----------
    lines : tuple of str
        What it reported, in order.
    signal : int
        That killed it; 0 where it ended by itself.
    hung : bool
        It reported nothing for too long and was killed for it.
    """

    lines: tuple[str, ...]
    signal: int
    hung: bool


def forked(
    work: Callable[[Callable[[str], None]], None],
    *,
    kill_after_s: float | None = None,
    patience_s: float = 60.0,
    memory_bytes: int | None = None,
) -> Ended:
    """Run a function in a copy of this process.

    Parameters
    ----------
    work : callable
        Gets a function that reports a line to this process; an exception is reported as "raised ...".
    kill_after_s : float, optional
        Kill it after so many seconds from its first line.
    patience_s : float
        Kill it when it reports nothing for so long.
    memory_bytes : int, optional
        Limit of its address space.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _run_child(work, writing, memory_bytes)
    os.close(writing)
    lines: list[str] = []
    hung = False
    for line in _lines(reading, patience_s, kill_after_s):
        if line is None:
            hung = kill_after_s is None or not lines
            os.kill(pid, signal.SIGKILL)
            break
        lines.append(line)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return Ended(lines=tuple(lines), signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, hung=hung)


def _run_child(work: Callable[[Callable[[str], None]], None], writing: int, memory_bytes: int | None) -> None:
    """Do the work and end the process without what an ordinary end would run."""
    try:
        if memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        work(lambda line: _report(writing, line))
    except BaseException as error:  # noqa: BLE001 (whatever it is, the parent must know)
        _report(writing, f"raised {type(error).__name__}: {error}")
    finally:
        os._exit(0)


def _report(descriptor: int, line: str) -> None:
    os.write(descriptor, (line.replace("\n", " ") + "\n").encode("utf-8", "replace"))


def _lines(descriptor: int, patience_s: float, kill_after_s: float | None) -> Iterator[str | None]:
    """Yield what comes through a pipe line by line, and None when patience or the time to live ends."""
    rest = b""
    end_s: float | None = None
    while True:
        wait_s = patience_s if end_s is None else max(end_s - time.monotonic(), 0.0)
        ready, _, _ = select.select([descriptor], [], [], wait_s)
        chunk = os.read(descriptor, 65_536) if ready else b""
        if not ready:
            yield None
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if whole and end_s is None and kill_after_s is not None:
            end_s = time.monotonic() + kill_after_s
