"""A small download between two versions of a database.

Adding one song moves bits everywhere, so that the files themselves differ all over. But they follow from the songs'
cells and codes: a delta carries those of the songs that came, says which stayed, and the rest is made again where the
database is. What is no such file (the table of songs) travels as a Zstandard patch against the old one. A file is made
under a name of nobody's and takes its own when its hash is right, so that none of a kept version is ever written to;
all are checked together before anything is switched, and the old version stays as the last good one.
"""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import check_file, sha256_file, sync_folder, write_bytes
from nowplaying_core.errors import (
    ArtifactError,
    CorruptArtifactError,
    DatabaseError,
    ManifestMismatchError,
    disk_advice,
)
from ondevice_db.format.arrays import save_array, sync_file
from ondevice_db.format.lock import writer_lock
from ondevice_db.format.manifest import MANIFEST_NAME, DatabaseManifest, read_database_manifest
from ondevice_db.format.packing import width_of
from ondevice_db.store.content import DERIVED_ROLES, Content, derived_arrays, read_content
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import clear_leftovers, keep_current, kept_names, signature_name, switch_to
from ondevice_db.update.delta_file import Delta, read_delta, write_delta
from ondevice_db.update.delta_songs import apply_songs, songs_between
from ondevice_db.update.patch import expand_patch, make_patch
from ondevice_db.update.signature import check_signature

__all__ = ["apply_delta", "make_delta"]

_SPARE_BYTES = 1 << 20


def make_delta(old: str | Path, new: str | Path, out: str | Path) -> int:
    """Write the delta from one version of a database to a later one.

    Parameters
    ----------
    old, new : str or Path
        Folders NAME.npdb: ``new`` is a copy of ``old`` that was changed, any number of times.
    out : str or Path
        File to write.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    ManifestMismatchError
        When ``new`` did not come from ``old``: its files would take the names of other files.
    MissingExtraError
        Without the package zstandard.
    """
    before, after = SongDatabase.open(old), SongDatabase.open(new)
    theirs, ours = before.manifest, after.manifest
    if _clash(theirs, ours) or ours.generation <= theirs.generation or ours.layout != theirs.layout:
        message = (
            f"{new}: expected a later version of {old} (generation above {theirs.generation}), found generation "
            f"{ours.generation}; change a copy of the old database, or send the new one as a whole"
        )
        raise ManifestMismatchError(message)
    files: dict[str, str] = {}
    parts: dict[str, bytes] = {}
    hashes = {(record["sha256"], record["bytes"]) for record in theirs.files.values()}
    for role, record in ours.files.items():
        if (record["sha256"], record["bytes"]) in hashes:
            files[role] = "same"
        elif ours.layout == "pq" and role in DERIVED_ROLES:
            files[role] = "derived"
        else:
            files[role] = "patch"
            parts[role] = make_patch(_old_file(before, role), after.path / str(record["name"]))
    if "derived" in files.values():
        parts |= songs_between(read_content(before), read_content(after))
    signature = after.path / signature_name(ours.generation)
    delta = Delta(
        old_sha256=sha256_file(before.path / MANIFEST_NAME),
        manifest=(after.path / MANIFEST_NAME).read_bytes(),
        signature=signature.read_bytes() if signature.is_file() else None,
        files=files,
        parts=parts,
    )
    return write_delta(Path(out), delta)


def apply_delta(path: str | Path, delta_path: str | Path, *, public_key: str | Path | None = None) -> DatabaseManifest:
    """Bring a database to the version that a delta leads to; all of it or nothing.

    Parameters
    ----------
    path : str or Path
        Folder NAME.npdb of exactly the version that the delta starts from. One that is at the new version already
        stays as it is, but for a signature that the delta has and it lacks.
    delta_path : str or Path
    public_key : str or Path, optional
        PEM file; the new version must bear this key's signature.

    Returns
    -------
    DatabaseManifest
        Of the new version.

    Raises
    ------
    ManifestMismatchError
        When the delta starts from another version.
    CorruptArtifactError
        When the delta is damaged, leads to something else than it promises, or its signature is missing or wrong.
    DatabaseError
        When there is no database, another process is writing it, or the disk is full; nothing is changed then.
    """
    folder, source = Path(path), Path(delta_path)
    delta = read_delta(source)
    SongDatabase.open(folder, check_hashes=False)  # a lock beside something that is no database helps nobody
    with writer_lock(folder):
        clear_leftovers(folder)
        old = SongDatabase.open(folder)
        try:
            new = read_database_manifest(source, delta.manifest)
            if public_key is not None:
                check_signature(delta.manifest, delta.signature, public_key, name=source)
            if (folder / MANIFEST_NAME).read_bytes() == delta.manifest:
                _add_signature(folder / signature_name(new.generation), delta.signature)
                return new
            _check_start(old, new, delta, source)
            _write_files(old, new, delta)
            sync_folder(folder)
            SongDatabase.open_version(folder, new)
            keep_current(folder, old.manifest)
            switch_to(folder, delta.manifest, delta.signature, new.generation)
        except OSError as error:
            message = f"{folder}: cannot apply {source} ({error}); {disk_advice(error)}"
            raise DatabaseError(message) from error
        except ArtifactError as error:
            message = f"{source}: {str(error).removeprefix(f'{source}: ')}; the database is as it was"
            raise type(error)(message) from error
        finally:
            clear_leftovers(folder)
    return new


def _add_signature(path: Path, signature: bytes | None) -> None:
    if signature is not None and not path.is_file():
        write_bytes(path, signature)


def _check_start(old: SongDatabase, new: DatabaseManifest, delta: Delta, source: Path) -> None:
    found = sha256_file(old.path / MANIFEST_NAME)
    if found != delta.old_sha256 or new.generation <= old.manifest.generation or new.layout != old.manifest.layout:
        message = (
            f"{source}: starts from version {delta.old_sha256[:16]}..., found {found[:16]}... (generation "
            f"{old.manifest.generation}) in {old.path}; get the delta for this version, or the whole database"
        )
        raise ManifestMismatchError(message)
    n_old = sum(int(record["bytes"]) for record in old.manifest.files.values())
    n_new = sum(int(record["bytes"]) for record in new.files.values())
    # Codes travel as they are, so a delta that is to grow into much more than itself and the old version is a trap.
    if n_new > 2 * n_old + 64 * delta.n_bytes + _SPARE_BYTES or not _fits_its_files(new):
        message = f"{source}: promises {n_new} bytes from {n_old} and {delta.n_bytes}; download it again"
        raise CorruptArtifactError(message)
    for role in new.files:
        method = delta.files.get(role)
        if method not in {"same", "derived", "patch"} or (method == "derived" and role not in DERIVED_ROLES):
            message = f"{source}: no way is given to make {role}; download it again"
            raise CorruptArtifactError(message)
    # A name that is in use may come again for one reason only: its file stays as it is.
    there = {(record["name"], record["sha256"]) for record in old.manifest.files.values()}
    made = {
        str(record["name"])
        for role, record in new.files.items()
        if delta.files[role] != "same" or (record["name"], record["sha256"]) not in there
    }
    clash = sorted(made & kept_names(old.path))
    if clash:
        message = f"{source}: would write over {clash}, files of a version that is there; download it again"
        raise CorruptArtifactError(message)


def _clash(old: DatabaseManifest, new: DatabaseManifest) -> list[str]:
    """Return the names that stand for one content in the old version and for another in the new one."""
    taken = {str(record["name"]): record["sha256"] for record in old.files.values()}
    names = {str(record["name"]): record["sha256"] for record in new.files.values()}
    return sorted(name for name, sha256 in names.items() if taken.get(name, sha256) != sha256)


def _fits_its_files(manifest: DatabaseManifest) -> bool:
    """Return whether a manifest's counts are no larger than its files can hold: memory is allocated by them."""
    if manifest.layout != "pq":
        return True
    size = {role: int(record["bytes"]) for role, record in manifest.files.items()}
    n_cell_bytes = manifest.n_fingerprints * width_of(manifest.n_cells + 1) // 8
    return 4 * manifest.n_slots <= size["song_starts"] and n_cell_bytes <= size["order_bits"]


def _write_files(old: SongDatabase, new: DatabaseManifest, delta: Delta) -> None:
    by_hash = {record["sha256"]: old.path / str(record["name"]) for record in old.manifest.files.values()}
    there = kept_names(old.path)
    derived = _derived(old, new, delta) if "derived" in delta.files.values() else {}
    for role, record in new.files.items():
        if record["name"] in there:
            continue
        path = old.path / f".{record['name']}"  # as a left-over, such a name is cleared
        method = delta.files[role]
        if method == "same":
            source = by_hash.get(record["sha256"])
            if source is None:
                message = f"{role} is said to be the same, but the old version has no such file"
                raise CorruptArtifactError(message)
            shutil.copyfile(source, path)
            sync_file(path)
        elif method == "derived":
            save_array(path, derived[role])
        else:
            patch = delta.parts.get(role, b"")
            path.write_bytes(expand_patch(_old_file(old, role), patch, int(record["bytes"])))
            sync_file(path)
        check_file(path, record)
        path.rename(old.path / str(record["name"]))


def _derived(old: SongDatabase, new: DatabaseManifest, delta: Delta) -> dict[str, NDArray[np.generic]]:
    content = read_content(old)
    codebook = content.codebook
    if codebook is None or (codebook.n_cells, codebook.n_subspaces) != (new.n_cells, new.n_subspaces):
        message = "its codes belong to another codebook"
        raise CorruptArtifactError(message)
    starts, cells, codes = apply_songs(content, delta.parts, new)
    made = Content(songs=(), song_starts=starts, cells=cells, codes=codes, vectors=None, codebook=codebook)
    return derived_arrays(made)


def _old_file(database: SongDatabase, role: str) -> Path | None:
    record = database.manifest.files.get(role)
    return None if record is None else database.path / str(record["name"])
