"""Which databases have been checked in full, so that opening one again takes milliseconds.

Hashing and checking every number of a 100,000-song database takes seconds and reads all of it. It is done the first
time that its files are opened, and by ``db verify``. What was found good is noted in the user's cache folder with what
the file system knows of each file: device, inode, size, and the times of its last change, of which no program can set
the second one. As long as all are the same the files have not been written since. What arrives by network or copy is
new to the file system and is checked, whatever notes come with it. Only decay on the disk itself, which changes no
time, goes unnoticed until ``db verify``. Without a cache folder everything is checked every time.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nowplaying_core import __version__
from nowplaying_core.artifacts import write_text

__all__ = ["identity", "is_verified", "mark_verified"]

_CHECKS = f"1/{__version__}"  # what a note vouches for: the checks of this release


def is_verified(folder: Path, found: dict[str, Any] | None) -> bool:
    """Return whether a database was checked in full and has not been touched since.

    Parameters
    ----------
    folder : Path
    found : dict or None
        Its :func:`identity`.
    """
    try:
        noted = json.loads(_note(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):  # the last where there is no home, and for JSON without end
        return False
    return found is not None and bool(noted == found)


def mark_verified(folder: Path, checked: dict[str, Any] | None) -> None:
    """Note that a database has passed every check; does nothing where no note can be kept.

    Parameters
    ----------
    folder : Path
    checked : dict or None
        Its :func:`identity` from before the checks, so that a file that changed while they ran is not taken for good.
    """
    if checked is None:
        return
    with contextlib.suppress(OSError, RuntimeError):
        note = _note(folder)
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(note, json.dumps(checked))


def identity(folder: Path, digest: str, names: Iterable[str]) -> dict[str, Any] | None:
    """Return the file system's record of a database's files, or None where one is missing.

    Parameters
    ----------
    folder : Path
    digest : str
        Of its manifest, which holds the hashes.
    names : iterable of str
        Of its files.
    """
    files = {}
    try:
        for name in sorted(names):
            status = (folder / name).stat(follow_symlinks=False)
            files[name] = [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    except OSError:
        return None
    return {"checks": _CHECKS, "folder": str(folder.resolve()), "manifest": digest, "files": files}


def _note(folder: Path) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return Path(root) / "nowplaying" / "checked" / f"{name}.json"
