"""How a database names the files of its songs: the same from every working folder, and whole folders may move."""

import os
from pathlib import Path

__all__ = ["place_of", "source_of"]


def source_of(file: Path, database: Path) -> str:
    """Return the name under which a database keeps a file.

    Parameters
    ----------
    file : Path
        An absolute one stays as it is; a relative one is named from the folder in which the database lies, not in full,
        because databases are given away.
    database : Path
        As `real_folder` returns it.
    """
    return str(file) if file.is_absolute() else os.path.relpath(file, database.parent)


def place_of(source: str, database: Path) -> str:
    """Return the absolute path of what a database keeps as a song's source; the inverse of `source_of`."""
    return os.path.normpath(database.parent / source)
