"""The current version of a database, and the last good one behind it.

``manifest.json`` names the files of the current version. Before another takes its place it is put aside as
``manifest-<generation>.json``, and the files that it names stay until the next change: whatever is wrong with a new
version, the one before is a single rename away. ``manifest-<generation>.sig`` is a version's signature, if it has one.
"""

import glob
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from nowplaying_core.artifacts import sync_folder, write_bytes
from nowplaying_core.errors import ArtifactError, CorruptArtifactError, DatabaseError
from ondevice_db.format.layouts import LAYOUTS, layout_files
from ondevice_db.format.lock import writer_lock
from ondevice_db.format.manifest import MANIFEST_NAME, DatabaseManifest, load_manifest, read_database_manifest
from ondevice_db.store.store import SongDatabase

__all__ = [
    "clear_leftovers",
    "copy_current",
    "forget_last_good",
    "keep_current",
    "kept_names",
    "last_good",
    "roll_back",
    "signature_name",
    "switch_to",
]

_VERSION_FILE = re.compile(r"manifest-([0-9]{1,9})\.(json|sig)")
_COPY_ATTEMPTS = 3
_DATA_SUFFIXES = frozenset(f".{suffix}" for layout in LAYOUTS for suffix in layout_files(layout).values())


def _kept_name(generation: int) -> str:
    return f"manifest-{generation}.json"


def signature_name(generation: int) -> str:
    """Return the name of the file with the signature of a version's manifest."""
    return f"manifest-{generation}.sig"


def last_good(folder: Path) -> DatabaseManifest | None:
    """Return the manifest of the version before the current one, or None where none is kept.

    Where the current manifest cannot be read, any version that is kept was there before it.
    """
    try:
        limit = load_manifest(folder).generation
    except (ArtifactError, DatabaseError):
        limit = 10**9
    kept = [generation for generation, suffix, _ in _version_files(folder) if suffix == "json" and generation < limit]
    for generation in sorted(kept, reverse=True):
        try:
            return load_manifest(folder, _kept_name(generation))
        except ArtifactError:
            continue
    return None


def keep_current(folder: Path, current: DatabaseManifest) -> None:
    """Put the current manifest aside, byte for byte, before another takes its place."""
    content = (folder / MANIFEST_NAME).read_bytes()
    write_bytes(folder / _kept_name(current.generation), content)


def kept_names(folder: Path) -> set[str]:
    """Return the names of the data files of the current version and of the one before it, if it is kept."""
    return {str(record["name"]) for manifest in _kept_manifests(folder) for record in manifest.files.values()}


def switch_to(folder: Path, manifest: bytes, signature: bytes | None, generation: int) -> None:
    """Make a version current whose files are in the folder and synced: in one rename, with its manifest as it came.

    Parameters
    ----------
    folder : Path
    manifest : bytes
        Content of ``manifest.json``.
    signature : bytes or None
        Of the manifest.
    generation : int
    """
    if signature is not None:
        write_bytes(folder / signature_name(generation), signature)
    write_bytes(folder / MANIFEST_NAME, manifest)


def roll_back(path: str | Path) -> DatabaseManifest:
    """Return to the version before the current one, which is dropped.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DatabaseManifest
        Of the version that is current now.

    Raises
    ------
    DatabaseError
        When there is no database, no version before, or another process is writing it.
    CorruptArtifactError
        When the version before is damaged; nothing is changed then.
    """
    folder = Path(path)
    if not folder.is_dir():
        load_manifest(folder)  # says what was found instead
    with writer_lock(folder):
        manifest = last_good(folder)
        if manifest is None:
            message = f"{folder}: nothing to roll back: it was not changed, or was compacted since"
            raise DatabaseError(message)
        SongDatabase.open_version(folder, manifest)
        (folder / _kept_name(manifest.generation)).replace(folder / MANIFEST_NAME)
        sync_folder(folder)
        clear_leftovers(folder)
    return manifest


def forget_last_good(folder: Path) -> None:
    """Drop the version before the current one and free its space; the caller holds the writer's lock."""
    current = load_manifest(folder)
    for generation, _, file in list(_version_files(folder)):
        if generation != current.generation or file.suffix == ".json":
            file.unlink(missing_ok=True)
    clear_leftovers(folder)


def clear_leftovers(path: Path) -> None:
    """Remove what no kept version names: files of an interrupted writer, or of versions before the last good one.

    The caller holds the writer's lock.
    """
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if folder.name[len(path.name) + 2 : -4].isdigit():  # not that of a database whose name begins alike
            shutil.rmtree(folder, ignore_errors=True)
    if not path.is_dir():
        return
    try:
        # The manifest on the disk decides, not the one a writer began with: it may have been switched already.
        kept = _kept_manifests(path)
    except (ArtifactError, DatabaseError):
        return
    named = {str(record["name"]) for manifest in kept for record in manifest.files.values()}
    named |= {signature_name(manifest.generation) for manifest in kept}
    named |= {_kept_name(before.generation) for before in kept[1:]}
    ours = {file for _, _, file in _version_files(path)}
    for file in path.iterdir():
        stale = (file.suffix in _DATA_SUFFIXES or file in ours) and file.name not in named
        if (stale or (file.name.startswith(".manifest") and file.suffix == ".tmp")) and not _is_folder(file):
            file.unlink(missing_ok=True)


def copy_current(source: Path, target: Path, embedding_space: str | None = None) -> SongDatabase:
    """Copy a database's current version, without the one before it, into a new folder.

    Nobody is kept from changing the database meanwhile: where files of the version that is copied vanish, the copy
    begins again with the version that is current then. No half copy is ever left.

    Parameters
    ----------
    source : Path
    target : Path
        Must not exist.
    embedding_space : str, optional
        As of `SongDatabase.open`.

    Returns
    -------
    SongDatabase
        The copy, checked in full.

    Raises
    ------
    CorruptArtifactError
        When a file of it is missing or damaged.
    DatabaseError
        When there is no database, or it changes faster than it is copied.
    """
    for _ in range(_COPY_ATTEMPTS):
        content = _current_bytes(source)
        target.mkdir(parents=True)
        try:
            _copy_version(source, target, content)
            return SongDatabase.open(target, embedding_space)
        except (FileNotFoundError, CorruptArtifactError) as error:
            shutil.rmtree(target)
            if _current_bytes(source) == content:
                message = f"{source}: a file of the database is missing or damaged ({error}); restore or rebuild it"
                raise CorruptArtifactError(message) from error
        except BaseException:
            shutil.rmtree(target)
            raise
    message = f"{source}: was changed {_COPY_ATTEMPTS} times while it was being copied; wait for its writer to end"
    raise DatabaseError(message)


def _current_bytes(folder: Path) -> bytes:
    load_manifest(folder)  # says what was found where there is no database
    return (folder / MANIFEST_NAME).read_bytes()


def _copy_version(source: Path, target: Path, content: bytes) -> None:
    """Copy the version that a manifest's bytes describe, those bytes last."""
    manifest = read_database_manifest(source / MANIFEST_NAME, content)
    signature = source / signature_name(manifest.generation)
    if signature.is_file():
        shutil.copyfile(signature, target / signature.name)
    for record in manifest.files.values():
        shutil.copyfile(source / str(record["name"]), target / str(record["name"]))
    (target / MANIFEST_NAME).write_bytes(content)


def _kept_manifests(folder: Path) -> list[DatabaseManifest]:
    """Return the current manifest and, where one is kept, the one before it."""
    current, before = load_manifest(folder), last_good(folder)
    return [current] if before is None else [current, before]


def _is_folder(path: Path) -> bool:
    """No writer of ours makes one; a link to one is a file that can go."""
    return path.is_dir() and not path.is_symlink()


def _version_files(folder: Path) -> Iterator[tuple[int, str, Path]]:
    for file in folder.iterdir():
        match = _VERSION_FILE.fullmatch(file.name)
        if match is not None:
            yield int(match[1]), match[2], file
