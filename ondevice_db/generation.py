"""Put a database's files on the disk so that a reader sees all of the old ones or all of the new ones.

The manifest is the switch. Every data file carries the number of the generation that wrote it; a change writes new
files next to the old, syncs them, and renames the new manifest over the old one. Files that no manifest names are left
overs of an interrupted writer and are cleared by the next one, which holds the writer's lock.
"""

import glob
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying.artifacts import file_record, sync_folder, write_json
from nowplaying.errors import ArtifactError, DatabaseError
from ondevice_db.annoy_cells import build_annoy
from ondevice_db.arrays import save_array
from ondevice_db.codebook import CODEBOOK_ROLES, Codebook
from ondevice_db.packing import width_of
from ondevice_db.radix import sort_by_cell
from ondevice_db.schema import (
    DATABASE_SCHEMA_VERSION,
    LAYOUTS,
    MANIFEST_NAME,
    DatabaseManifest,
    Track,
    layout_files,
    load_manifest,
)
from ondevice_db.songs import write_songs

__all__ = ["Content", "write_database"]

_CODEBOOK_FILES = (*CODEBOOK_ROLES, "background", "cells")


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What a database holds, in song order.

    Attributes
    ----------
    songs : sequence of (song index, Track), ascending
    song_starts : ndarray of uint32, shape (n_slots + 1,)
    cells : ndarray of integers, shape (n,), or None
        ``n_cells`` for silence.
    codes : ndarray of uint8, shape (n, n_subspaces), or None
        Anything for silence.
    vectors : ndarray of float32, shape (n, dim), or None
        Of the flat layout, where cells, codes and codebook are None; zero rows for silence.
    codebook : Codebook or None
    """

    songs: Sequence[tuple[int, Track]]
    song_starts: NDArray[np.uint32]
    cells: NDArray[np.integer] | None
    codes: NDArray[np.uint8] | None
    vectors: NDArray[np.float32] | None
    codebook: Codebook | None


def write_database(
    path: Path, header: Mapping[str, Any], content: Content, previous: DatabaseManifest | None
) -> DatabaseManifest:
    """Write a new database or the next generation of one; the caller holds the writer's lock.

    Parameters
    ----------
    path : Path
        Folder NAME.npdb.
    header : mapping
        The manifest's layout, encoder, hop and Annoy fields.
    content : Content
    previous : DatabaseManifest or None
        The generation now in the folder; None writes a new folder.

    Raises
    ------
    DatabaseError
        When the disk is full or refuses a file; what was there before is unchanged.
    """
    _clear_leftovers(path)
    generation = 1 if previous is None else previous.generation + 1
    folder = path if previous is not None else path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = _write_files(folder, generation, content, header, previous)
        manifest = DatabaseManifest.from_dict(
            {
                **header,
                "schema_version": DATABASE_SCHEMA_VERSION,
                "generation": generation,
                "n_songs": len(content.songs),
                "n_slots": content.song_starts.size - 1,
                "n_fingerprints": int(content.song_starts[-1]),
                "n_codes": _count_codes(content),
                "n_cells": content.codebook.n_cells if content.codebook else 0,
                "n_subspaces": content.codebook.n_subspaces if content.codebook else 0,
                "files": files,
            }
        )
        sync_folder(folder)
        write_json(folder / MANIFEST_NAME, manifest.to_dict())
        if folder != path:
            folder.rename(path)
            sync_folder(path.parent)
    except OSError as error:
        _clear_leftovers(path)
        message = f"{path}: cannot write the database ({error}); free some space and run the command again"
        raise DatabaseError(message) from error
    except BaseException:
        _clear_leftovers(path)
        raise
    _clear_leftovers(path)
    return manifest


def _write_files(
    folder: Path, generation: int, content: Content, header: Mapping[str, Any], previous: DatabaseManifest | None
) -> dict[str, dict[str, Any]]:
    roles = layout_files(header["layout"])
    held = [role for role in _CODEBOOK_FILES if role in roles and previous and role in previous.files]
    kept = {role: dict(previous.files[role]) for role in held} if previous else {}
    names = {role: f"{role}-{generation}.{suffix}" for role, suffix in roles.items() if role not in kept}
    for name in names.values():
        (folder / name).unlink(missing_ok=True)
    trees, seed = header["annoy_trees"], header["annoy_seed"]
    arrays: dict[str, NDArray[Any]] = {"song_starts": content.song_starts}
    if content.vectors is not None:
        arrays["vectors"] = content.vectors
        build_annoy(content.vectors, folder / names["vectors_index"], n_trees=trees, seed=seed)
    if content.codebook is not None and content.cells is not None and content.codes is not None:
        arrays |= _list_arrays(content.cells, content.codes, content.codebook.n_cells)
        if "background" not in kept:
            arrays["background"] = content.codebook.background
        if "cells" not in kept:
            content.codebook.save(folder, names)
            build_annoy(content.codebook.centroids, folder / names["cells"], n_trees=trees, seed=seed)
    for role, array in arrays.items():
        save_array(folder / names[role], array)
    write_songs(folder / names["songs"], content.songs)
    return kept | {role: {"name": name, **file_record(folder / name)} for role, name in names.items()}


def _list_arrays(
    cells: NDArray[np.integer], codes: NDArray[np.uint8], n_cells: int
) -> dict[str, NDArray[Any]]:
    # Silence sorts behind the last cell, where there are no codes.
    order, record = sort_by_cell(cells, width_of(n_cells + 1))
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=n_cells + 1)[:n_cells])])
    return {
        "codes": codes[order[: starts[-1]]],
        "list_starts": starts.astype(np.uint32),
        "order_bits": record.bits,
        "order_counts": record.counts,
        "order_steps": record.steps,
    }


def _count_codes(content: Content) -> int:
    if content.vectors is not None:
        return int(content.vectors.any(axis=1).sum())
    n_cells = content.codebook.n_cells if content.codebook is not None else 0
    return int((content.cells < n_cells).sum()) if content.cells is not None else 0


def _clear_leftovers(path: Path) -> None:
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        shutil.rmtree(folder, ignore_errors=True)
    if not path.is_dir():
        return
    try:
        # The manifest on the disk decides, not the one this writer began with: it may have been switched already.
        current = load_manifest(path)
    except (ArtifactError, DatabaseError):
        return
    named = {str(record["name"]) for record in current.files.values()}
    suffixes = {f".{suffix}" for layout in LAYOUTS for suffix in layout_files(layout).values()}
    for file in path.iterdir():
        stale_data = file.suffix in suffixes and file.name not in named
        if stale_data or (file.name.startswith(f".{MANIFEST_NAME}.") and file.suffix == ".tmp"):
            file.unlink(missing_ok=True)
