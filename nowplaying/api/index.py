"""Fingerprint music into a song database."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import find_audio
from nowplaying_core.errors import AudioFormatError, ConfigError, MissingPathError
from ondevice_db.index.choose_codebook import CodebookChoice
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.report import IndexProgress, IndexReport

__all__ = ["audio_files", "index"]


def index(
    music: str | Path | Sequence[str | Path],
    database: str | Path,
    *,
    add: bool = False,
    jobs: int = 1,
    layout: Literal["pq", "flat"] | None = None,
    hop_s: float | None = None,
    code_bytes: int | None = None,
    codebook: Literal["auto", "own", "shipped"] = "auto",
    engine: Literal["local", "ray"] = "local",
    model: str | Path = SHIPPED_FINGERPRINTER,
    min_seconds: float | None = None,
    lenient: bool = False,
    update_tags: bool = False,
    progress: Callable[[IndexProgress], None] | None = None,
) -> IndexReport:
    """Fingerprint files and folders into a database.

    Interrupted at any moment, the same call goes on where it stopped. Files that cannot be read are in the report.

    Parameters
    ----------
    music : path or sequence of paths
        Audio files and folders; folders are searched.
    database : str or Path
        Folder NAME.npdb to make, or with ``add`` to extend.
    add : bool
        Add to an existing database.
    jobs : int >= 1
        Processes, at most one for each file. The database does not depend on it. With more than one, a script must
        guard its code by ``if __name__ == "__main__":``, because each process imports it again.
    layout : {"pq", "flat"}, optional
        Codes of 12 bytes a second, which is the default, or float vectors for small libraries. A database keeps its
        own when songs are added.
    hop_s : float, seconds, optional
        Between fingerprints; 0.5 finds shorter sound in twice the space. By default the model's.
    code_bytes : {6, 8, 12, 16, 24}, optional
        Bytes of a fingerprint.
    codebook : {"auto", "own", "shipped"}
        Whose codebook; "auto" trains one on a collection that is large enough.
    engine : {"local", "ray"}
        Processes of this machine, or a Ray cluster.
    model : str or Path
        Shipped name of a fingerprinter, or a model folder.
    min_seconds : float >= 0, optional
        Refuse shorter recordings; by default those shorter than one window of about 2 s.
    lenient : bool
        Index what can be read of truncated and damaged files, in place of refusing them.
    update_tags : bool
        Take the tags of songs that are in the database already from their files.
    progress : callable, optional
        Called after every file.

    Returns
    -------
    IndexReport

    Raises
    ------
    MissingPathError, AudioFormatError
        When the music is not there, holds no audio file, or a name is empty.
    ConfigError
        When a setting is out of range or does not belong to the layout.
    DatabaseError
        When the database exists (without ``add``), is missing (with it), is being written, or the disk is full.

    Examples
    --------
    >>> import nowplaying
    >>> report = nowplaying.index("music", "again.npdb")
    >>> len(report.added), report.failed
    (3, [])
    """
    if (add or layout == "flat") and (code_bytes is not None or codebook != "auto"):
        message = (
            "code_bytes and codebook (--code-bytes, --codebook): expected only for a new database of layout pq; "
            "a database keeps them when songs are added"
        )
        raise ConfigError(message)
    paths = audio_files(music)
    return index_paths(
        paths,
        database,
        Fingerprinter.from_model(model),
        jobs=min(jobs, len(paths)),
        add=add,
        layout=layout,
        hop_s=hop_s,
        engine=engine,
        codebook=CodebookChoice(source=codebook, code_bytes=code_bytes),
        options=ReadOptions(lenient=lenient, min_s=min_seconds),
        update_tags=update_tags,
        progress=progress,
    )


def audio_files(music: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the audio files among some files and in some folders, each once.

    Raises
    ------
    MissingPathError
        When none of these is there.
    AudioFormatError
        When they hold no audio file, or a name is empty.
    """
    given = [music] if isinstance(music, str | Path) else list(music)
    if "" in given:
        message = "expected the name of a file or folder, found an empty one; name the current folder by a dot"
        raise AudioFormatError(message)
    if given and not any(os.path.exists(one) for one in given):  # noqa: PTH110 (Path.exists fails on names too long)
        message = f"{given[0]}: No such file or folder; check the path"
        raise MissingPathError(message)
    found = list(dict.fromkeys(find_audio([Path(one) for one in given])))
    if not found:
        names = ", ".join(str(one) for one in given) or "no path given"
        message = f"{names}: no audio file in there; expected files such as .wav, .flac, .ogg, .opus or .mp3"
        raise AudioFormatError(message)
    return found
