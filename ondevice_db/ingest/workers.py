"""Fingerprint files, here or in several processes; a file that cannot be read is an answer, not the end."""

import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ, AudioSource, MemoryFile, open_stream, to_int16
from nowplaying_core.errors import AudioFormatError, NowPlayingError
from ondevice_db.format.track import Track
from ondevice_db.ingest.journal import store_embeddings
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.tags import read_track
from ondevice_db.levels import gain_of, silence_of

__all__ = ["attempt_file", "fingerprint_file", "fingerprint_files", "rebuild_error"]

_BLOCK_SAMPLES = 10 * SAMPLE_RATE_HZ
_fingerprinter: Fingerprinter | None = None  # one for each worker process, opened when it starts


def fingerprint_file(
    path: Path | MemoryFile,
    folder: Path,
    fingerprinter: Fingerprinter,
    hop_s: float,
    options: ReadOptions | None = None,
) -> Track:
    """Decode a file, store its fingerprints in ``folder`` under its track id, and describe it.

    The file is read in blocks, so that its length does not matter.

    Raises
    ------
    AudioFormatError
        When the file cannot be read, is too short, or is silent throughout.
    OSError
        When the fingerprints cannot be stored.
    """
    options = options or ReadOptions()
    digest, n_samples = hashlib.sha256(), 0

    def hashed(source: AudioSource) -> Iterator[NDArray[np.float32]]:
        nonlocal n_samples
        for block in source:
            digest.update(to_int16(block).astype("<i2").tobytes())
            n_samples += block.size
            if n_samples > options.max_s * SAMPLE_RATE_HZ:
                message = f"{path}: longer than {options.max_s / 3600:g} h, the longest that is taken here"
                raise AudioFormatError(message)
            yield block

    with open_stream(path, chunk_samples=_BLOCK_SAMPLES, lenient=options.lenient) as source:
        embeddings, levels_dbfs = fingerprinter.embed_blocks(hashed(source), hop_s)
    silence_dbfs, gain = silence_of(float(levels_dbfs.max())), np.float32(gain_of(float(levels_dbfs.max())))
    if gain != 1:
        with open_stream(path, chunk_samples=_BLOCK_SAMPLES, lenient=options.lenient) as source:
            embeddings, _ = fingerprinter.embed_blocks((np.clip(gain * block, -1, 1) for block in source), hop_s)
    least_s, duration_s = fingerprinter.window_s if options.min_s is None else options.min_s, n_samples / SAMPLE_RATE_HZ
    if duration_s < least_s:
        # The page and 'db replace', too, come here, which have no such option.
        advice = "'nowplaying index --min-seconds' takes shorter ones"
        message = f"{path}: {duration_s:.2f} s long, shorter than {least_s:g} s; {advice}"
        raise AudioFormatError(message)
    silent = levels_dbfs <= silence_dbfs
    if silent.all():
        message = f"{path}: silent throughout (below {silence_dbfs:g} dBFS), so there is nothing to fingerprint"
        raise AudioFormatError(message)
    identity = digest.hexdigest()[:16]
    if not (folder / f"{identity}.npy").is_file():
        store_embeddings(folder, identity, np.where(silent[:, None], np.float32(0), embeddings))
    return read_track(path, track_id=identity, duration_s=duration_s)


def fingerprint_files(
    paths: Sequence[Path],
    folder: Path,
    fingerprinter: Fingerprinter,
    *,
    hop_s: float,
    jobs: int,
    options: ReadOptions | None = None,
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
    options : ReadOptions, optional
    """
    options = options or ReadOptions()
    if jobs == 1 or len(paths) < 2:
        for path in paths:
            yield path, attempt_file(path, folder, fingerprinter, hop_s, options)
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
        futures = {pool.submit(_work, path, folder, hop_s, options): path for path in paths}
        for future in as_completed(futures):
            result = future.result()
            yield futures[future], result if isinstance(result, Track) else rebuild_error(*result)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def attempt_file(
    path: Path | MemoryFile, folder: Path, fingerprinter: Fingerprinter, hop_s: float, options: ReadOptions
) -> Track | NowPlayingError:
    """Return what `fingerprint_file` returns, or the error that it raises about the file."""
    try:
        return fingerprint_file(path, folder, fingerprinter, hop_s, options)
    except NowPlayingError as error:
        return error
    except MemoryError:
        return AudioFormatError(f"{path}: there is not enough memory to fingerprint this recording; use fewer --jobs")


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


def _work(
    path: Path, folder: Path, hop_s: float, options: ReadOptions
) -> Track | tuple[type[NowPlayingError], tuple[Any, ...]]:
    if _fingerprinter is None:
        message = "a worker process was not started through its initializer"
        raise RuntimeError(message)
    result = attempt_file(path, folder, _fingerprinter, hop_s, options)
    return result if isinstance(result, Track) else (type(result), result.args)


def rebuild_error(kind: type[NowPlayingError], arguments: tuple[Any, ...]) -> NowPlayingError:
    """Return an error as it was in another process."""
    # Not kind(*arguments): some errors build their message from other arguments than they keep.
    return kind.__new__(kind, *arguments)
