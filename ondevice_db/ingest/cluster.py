"""Fingerprint files on a Ray cluster: the very same function on every node, the same journal, the same bytes.

Ray Data shares the files out in blocks to a pool of workers that each open the model once; a worker or node that dies
is replaced and its block done again. Music, model and journal lie on storage that all nodes see under one path. Every
recording's fingerprints go to the journal's folder from where they were made, only names and tags travel to the driver,
and the database is written from the journal as ever: an interrupted run goes on, and the result is the local one.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core import errors
from nowplaying_core.errors import NowPlayingError, needs_extra
from ondevice_db.format.track import Track
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.workers import fingerprint_file, rebuild_error

__all__ = ["fingerprint_on_cluster"]

_FILES_A_BLOCK = 16  # what a lost worker costs


def fingerprint_on_cluster(
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
        Where fingerprints are stored; every node sees it under this path.
    fingerprinter : Fingerprinter
        Every node sees its model folder.
    hop_s : float > 0, seconds
    jobs : int >= 1
        Workers of one CPU each.
    options : ReadOptions, optional

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    """
    with needs_extra("cluster", "indexing on a Ray cluster"):
        import ray
        import ray.data
    if not paths:
        return
    if not ray.is_initialized():
        # RAY_ADDRESS names a cluster; without it Ray starts one of this machine's cores.
        ray.init(num_cpus=None if os.environ.get("RAY_ADDRESS") else jobs, log_to_driver=False)
    files = ray.data.from_items(
        [{"path": str(path.absolute())} for path in paths],
        override_num_blocks=max(1, (len(paths) + _FILES_A_BLOCK - 1) // _FILES_A_BLOCK),
    )
    given = {str(path.absolute()): path for path in paths}
    settings = {
        "model": str(fingerprinter.folder.path.absolute()),
        "folder": str(folder.absolute()),
        "hop_s": hop_s,
        "options": options or ReadOptions(),
    }
    done = files.map(_Worker, fn_constructor_kwargs=settings, concurrency=jobs, num_cpus=1)
    for row in done.iter_rows():
        yield given[row["path"]], _result(row)


class _Worker:
    """Opens the model once and fingerprints files with it."""

    def __init__(self, *, model: str, folder: str, hop_s: float, options: ReadOptions) -> None:
        self._options = options
        self._fingerprinter = Fingerprinter.from_model(model)
        self._folder, self._hop_s = Path(folder), hop_s

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        path = Path(row["path"])
        try:
            track = fingerprint_file(path, self._folder, self._fingerprinter, self._hop_s, self._options)
        except NowPlayingError as error:
            return {"path": row["path"], "track": "", "error": type(error).__name__, "message": str(error)}
        return {"path": row["path"], "track": json.dumps(track.to_dict()), "error": "", "message": ""}


def _result(row: dict[str, Any]) -> Track | NowPlayingError:
    if not row["error"]:
        return Track(**json.loads(row["track"]))
    return rebuild_error(getattr(errors, row["error"], NowPlayingError), (row["message"],))
