"""Read a corpus of recordings: a folder with one split table per group, or any folder of audio files."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from nowplaying_core.audio.find import find_audio
from nowplaying_core.errors import AudioFormatError, ConfigError, MissingPathError

__all__ = ["GROUPS", "SPLITS", "CorpusFile", "Group", "read_corpus", "recordings_if_any"]

Group = Literal["music", "noise", "speech", "rir"]
GROUPS: tuple[Group, ...] = get_args(Group)
SPLITS = ("train", "dev", "unknown")
_LABEL_COLUMNS = ("label", "kind")


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusFile:
    """One recording of a corpus and what its table says of it.

    Attributes
    ----------
    path : Path
        The audio file.
    split : str or None
        ``"train"``, ``"dev"``, ``"unknown"``...; None when neither a table nor a folder's name tells.
    label : str
        Class or kind of the sound, such as ``"rain"`` or ``"room"``; empty when not known.
    source : str
        Where the recording comes from; recordings of one source are not independent.
    licence : str
        Licence as the table states it; empty when not known.
    title : str
        Artist and title; the file's stem when not known.
    """

    path: Path
    split: str | None
    label: str
    source: str
    licence: str
    title: str


def read_corpus(root: Path, group: Group, split: str | None = None) -> list[CorpusFile]:
    """List the recordings of one group, in the table's order.

    Parameters
    ----------
    root : Path
        Folder with ``{group}.tsv`` (tab-separated, a header line, columns ``file`` and ``split`` at least, paths
        relative to ``root/{group}``). Without that table all audio files in ``root/{group}`` are listed, or in
        ``root`` where it has no folder of any group; those in a folder ``train``, ``dev`` or ``unknown`` in it are of
        that split.
    group : {"music", "noise", "speech", "rir"}
        Which table to read.
    split : str or None
        Keep only this split. Files without a split belong to every split, since no table forbids it.

    Returns
    -------
    list of CorpusFile
        Never empty.

    Raises
    ------
    ConfigError
        When the folder or group does not exist, or nothing is left after choosing the split.
    AudioFormatError
        When the table has no ``file`` or ``split`` column, or a row names a file that is not there.
    """
    if group not in GROUPS:
        message = f"corpus group: expected one of {', '.join(GROUPS)}, found {group!r}"
        raise ConfigError(message)
    root = Path(root)
    if not root.is_dir():
        message = f"{root}: expected a corpus folder, found none; pass the folder that holds {group}.tsv or audio files"
        raise MissingPathError(message)
    table = root / f"{group}.tsv"
    # A folder of recordings is the group itself, unless it is divided into groups.
    folder = root / group if any((root / one).is_dir() for one in GROUPS) else root
    files = _read_table(table, root / group) if table.is_file() else _list_folder(folder)
    chosen = [file for file in files if split is None or file.split in (split, None)]
    if not chosen:
        where = table if table.is_file() else folder
        found = sorted({file.split or "-" for file in files})
        message = f"{where}: expected {group} files of split {split or 'any'!r}, found splits {found}; check the folder"
        raise ConfigError(message)
    return chosen


def recordings_if_any(root: Path, group: Group, split: str | None) -> list[CorpusFile]:
    """List recordings as :func:`read_corpus`, empty where a corpus has none; damaged tables are errors all the same."""
    try:
        return read_corpus(root, group, split)
    except ConfigError:
        return []


def _read_table(table: Path, folder: Path) -> list[CorpusFile]:
    with table.open(encoding="utf-8", newline="") as handle:
        # Titles hold stray quotation marks, so quotes have no meaning in these tables.
        reader = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns: Sequence[str] = reader.fieldnames or []
        if "file" not in columns or "split" not in columns:
            message = (
                f"{table}: expected tab-separated columns 'file' and 'split', found {list(columns)}; mend its header"
            )
            raise AudioFormatError(message)
        return [_from_row(row, folder, table, reader.line_num) for row in reader]


def _from_row(row: dict[str, str | None], folder: Path, table: Path, line: int) -> CorpusFile:
    def text(*names: str) -> str:
        return next((value.strip() for name in names if (value := row.get(name))), "")

    path = folder / text("file")
    if not text("file") or not path.is_file():
        message = f"{table}, line {line}: expected an audio file at {path}, found none; restore it or drop the row"
        raise AudioFormatError(message)
    return CorpusFile(
        path=path,
        split=text("split") or None,
        label=text(*_LABEL_COLUMNS),
        source=text("source") or path.parent.name,
        licence=text("licence", "license"),
        title=text("title_artist", "title") or path.stem,
    )


def _list_folder(folder: Path) -> list[CorpusFile]:
    return [
        CorpusFile(
            path=path,
            split=next((part for part in path.relative_to(folder).parts[:1] if part in SPLITS), None),
            label="",
            source=path.parent.name,
            licence="",
            title=path.stem,
        )
        for path in (find_audio([folder]) if folder.is_dir() else ())
    ]
