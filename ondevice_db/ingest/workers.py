"""Fingerprint files, here or in several processes; a file that cannot be read is an answer, not the end."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ, load, track_id
from nowplaying_core.errors import AudioFormatError, NowPlayingError
from ondevice_db.format.track import Track
from ondevice_db.ingest.journal import store_embeddings
from ondevice_db.ingest.tags import read_track
from ondevice_db.recognizer import SILENCE_DBFS

__all__ = ["fingerprint_file", "fingerprint_files", "rebuild_error"]

_fingerprinter: Fingerprinter | None = None  # one for each worker process, opened when it starts


def fingerprint_file(path: Path, folder: Path, fingerprinter: Fingerprinter, hop_s: float) -> Track:
    """Decode a file, store its fingerprints in ``folder`` under its track id, and describe it.

    Raises
    ------
    AudioFormatError
        When the file cannot be read or is silent throughout.
    OSError
        When the fingerprints cannot be stored.
    """
    samples = load(path)
    identity = track_id(samples)
    if not (folder / f"{identity}.npy").is_file():
        embeddings, levels_dbfs = fingerprinter.embed_with_levels(samples, hop_s)
        silent = levels_dbfs <= SILENCE_DBFS
        if silent.all():
            message = f"{path}: silent throughout (below {SILENCE_DBFS:g} dBFS), so there is nothing to fingerprint"
            raise AudioFormatError(message)
        store_embeddings(folder, identity, np.where(silent[:, None], np.float32(0), embeddings))
    return read_track(path, track_id=identity, duration_s=samples.size / SAMPLE_RATE_HZ)


def fingerprint_files(
    paths: Sequence[Path], folder: Path, fingerprinter: Fingerprinter, *, hop_s: float, jobs: int
) -> Iterator[tuple[Path, Track | NowPlayingError]]:
    """Yield each file with its track, or with the error that names what is wrong with it, as they get ready.

    Parameters
    ----------
    paths : sequence of Path
    folder : Path
        Where fingerprints are stored.
    fingerprinter : Fingerprinter
    hop_s : float > 0, seconds
    jobs : int >= 1
        Processes; with one, the work is done in this process.
    """
    if jobs == 1 or len(paths) < 2:
        for path in paths:
            yield path, _attempt(path, folder, fingerprinter, hop_s)
        return
    # Not `nowplaying_core.processes.share_out`, which returns everything at the end: the journal needs each result at
    # once, and the workers have to ignore Ctrl-C and to end when their parent is killed.
    pool = ProcessPoolExecutor(
        min(jobs, len(paths)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(fingerprinter.folder.path,),
    )
    try:
        futures = {pool.submit(_work, path, folder, hop_s): path for path in paths}
        for future in as_completed(futures):
            result = future.result()
            yield futures[future], result if isinstance(result, Track) else rebuild_error(*result)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _attempt(path: Path, folder: Path, fingerprinter: Fingerprinter, hop_s: float) -> Track | NowPlayingError:
    try:
        return fingerprint_file(path, folder, fingerprinter, hop_s)
    except NowPlayingError as error:
        return error


def _start(model: Path) -> None:
    global _fingerprinter  # noqa: PLW0603 (a process pool has no other place for it)
    # Ctrl-C reaches the whole group; the parent alone decides what to finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _fingerprinter = Fingerprinter.from_model(model)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A killed parent sends its workers no word; without this they would wait for work for ever.
        parent.join()
        os._exit(1)


def _work(path: Path, folder: Path, hop_s: float) -> Track | tuple[type[NowPlayingError], tuple[Any, ...]]:
    if _fingerprinter is None:
        message = "a worker process was not started through its initializer"
        raise RuntimeError(message)
    result = _attempt(path, folder, _fingerprinter, hop_s)
    return result if isinstance(result, Track) else (type(result), result.args)


def rebuild_error(kind: type[NowPlayingError], arguments: tuple[Any, ...]) -> NowPlayingError:
    """Return an error as it was in another process."""
    # Not kind(*arguments): some errors build their message from other arguments than they keep.
    return kind.__new__(kind, *arguments)
