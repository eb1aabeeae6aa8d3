"""Put a database's files on the disk so that a reader sees all of the old ones or all of the new ones.

The manifest is the switch. Every data file carries the number of the generation that wrote it; a change writes new
files next to the old, syncs them, and renames the new manifest over the old one, which is kept beside it
(`ondevice_db.store.versions`). Files that no kept manifest names are left-overs of an interrupted writer and are
cleared by the next one, which holds the writer's lock.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import file_record, sync_folder, write_json
from nowplaying_core.errors import DatabaseError, disk_advice
from ondevice_db.format.arrays import save_array
from ondevice_db.format.layouts import OPTIONAL_ROLES, layout_files, schema_of
from ondevice_db.format.manifest import MANIFEST_NAME, DatabaseManifest
from ondevice_db.format.songs import write_songs
from ondevice_db.index.annoy_cells import build_annoy
from ondevice_db.index.codebook import CODEBOOK_FILES
from ondevice_db.index.codebook_files import save_codebook
from ondevice_db.store.content import Content, derived_arrays
from ondevice_db.store.versions import clear_leftovers, forget_last_good, keep_current, kept_names

__all__ = ["write_database"]


def write_database(
    path: Path,
    header: Mapping[str, Any],
    content: Content,
    previous: DatabaseManifest | None,
    *,
    same_fingerprints: bool = False,
    keep_previous: bool = True,
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
    same_fingerprints : bool
        Only the songs' metadata differ from the previous generation, whose other files stay.
    keep_previous : bool
        Keep the previous generation as the last good version; False frees its space.

    Raises
    ------
    DatabaseError
        When the disk is full or refuses a file; what was there before is unchanged.
    """
    clear_leftovers(path)
    generation = 1 if previous is None else _next_generation(path, previous)
    code_kind = content.codebook.kind if content.codebook else "product"
    folder = path if previous is not None else path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        roles = layout_files(header["layout"], code_kind)
        if code_kind == "residual" and content.codebook and not content.codebook.has_own_cohort:
            roles = {role: suffix for role, suffix in roles.items() if role not in OPTIONAL_ROLES}
        kept = _kept_files(roles, previous, same_fingerprints=same_fingerprints)
        names = {role: f"{role}-{generation}.{suffix}" for role, suffix in roles.items() if role not in kept}
        files = _write_files(folder, names, content, header) | kept
        manifest = DatabaseManifest.from_dict(
            {
                **header,
                "schema_version": schema_of(code_kind),
                "generation": generation,
                "n_songs": len(content.songs),
                "n_slots": content.song_starts.size - 1,
                "n_fingerprints": int(content.song_starts[-1]),
                "n_codes": content.n_codes,
                "n_cells": content.codebook.n_cells if content.codebook else 0,
                "n_subspaces": content.codebook.n_subspaces if content.codebook else 0,
                "code_kind": code_kind,
                "files": files,
            }
        )
        sync_folder(folder)
        if previous is not None:
            keep_current(folder, previous)
        write_json(folder / MANIFEST_NAME, manifest.to_dict())
        if folder != path:
            folder.rename(path)
            sync_folder(path.parent)
    except OSError as error:
        clear_leftovers(path)
        message = f"{path}: cannot write the database ({error}); {disk_advice(error)}"
        raise DatabaseError(message) from error
    except BaseException:
        clear_leftovers(path)
        raise
    if keep_previous:
        clear_leftovers(path)
    else:
        forget_last_good(path)
    return manifest


def _next_generation(path: Path, previous: DatabaseManifest) -> int:
    """Return a number that no file of a kept version has in its name, whatever names a database from elsewhere has."""
    numbers = [int(re.findall("[0-9]+", name)[0]) for name in kept_names(path)]
    return 1 + max(previous.generation, *numbers)


def _kept_files(
    roles: Iterable[str], previous: DatabaseManifest | None, *, same_fingerprints: bool
) -> dict[str, dict[str, Any]]:
    if previous is None:
        return {}
    unchanged = [role for role in roles if role != "songs"] if same_fingerprints else CODEBOOK_FILES
    return {role: dict(previous.files[role]) for role in unchanged if role in previous.files}


def _write_files(
    folder: Path, names: dict[str, str], content: Content, header: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    for name in names.values():
        (folder / name).unlink(missing_ok=True)
    trees, seed = header["annoy_trees"], header["annoy_seed"]
    if content.codebook is not None and "cells" in names:
        save_codebook(content.codebook, folder, names)
        build_annoy(content.codebook.centroids, folder / names["cells"], n_trees=trees, seed=seed)
    if content.vectors is not None and "vectors" in names:
        save_array(folder / names["vectors"], content.vectors)
        build_annoy(content.vectors, folder / names["vectors_index"], n_trees=trees, seed=seed)
    if content.codebook is not None and "cohort" in names:
        save_array(folder / names["cohort"], content.codebook.cohort)
    if "song_starts" in names:
        for role, array in derived_arrays(content).items():
            save_array(folder / names[role], array)
    write_songs(folder / names["songs"], content.songs)
    return {role: {"name": name, **file_record(folder / name)} for role, name in names.items()}
