"""The manifest of a database, which binds its files."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nowplaying_core import __version__
from nowplaying_core.artifacts import canonical_json, read_manifest
from nowplaying_core.errors import CorruptArtifactError, DatabaseError, UnsupportedVersionError
from ondevice_db.format.layouts import (
    CODE_KINDS,
    LAYOUTS,
    OPTIONAL_ROLES,
    SCHEMAS,
    CodeKind,
    code_fits,
    layout_files,
    schema_of,
)

__all__ = [
    "DATABASE_SCHEMA_VERSION",
    "MANIFEST_NAME",
    "MAX_CELLS",
    "MIN_HOP_S",
    "DatabaseManifest",
    "load_manifest",
    "manifest_digest",
    "read_database_manifest",
]

DATABASE_SCHEMA_VERSION = 4
MANIFEST_NAME = "manifest.json"
MAX_CELLS = 1 << 16
MAX_FINGERPRINTS = (1 << 32) - 1
MAX_DIM = 1024
MIN_HOP_S = 0.01  # closer fingerprints see the same sound
MAX_MANIFEST_BYTES = 1 << 20  # one has about 3 KB
_FILE_NAME = re.compile(r"[a-z][a-z_]*-[0-9]{1,9}\.(npy|ann|sqlite)")
_SPACE_ID = re.compile(r"[0-9A-Za-z._-]{1,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseManifest:
    """The counts, parameters and file hashes of one generation of a database.

    Attributes
    ----------
    schema_version : int
        Of the files: 2, or 4 with ``code_kind`` "residual".
    layout : {"pq", "flat"}
    code_kind : {"product", "residual"}
        What the bytes of codes name (:attr:`ondevice_db.index.codebook.Codebook.kind`). The field is not written
        in schema 2.
    generation : int >= 1
        Raised by every change; the files written then carry it in their names, so the manifest alone switches a
        reader from the old database to the new one.
    embedding_space : str
        Id of the front end and encoder that made the fingerprints; no other encoder may query them.
    encoder : str
        Name of that model, for messages.
    dim : int
    hop_s, window_s : float, seconds
        Fingerprint i of a song covers ``[i * hop_s, i * hop_s + window_s)``.
    n_songs : int >= 1
        Songs that can be found.
    n_slots : int >= n_songs
        Song indices handed out so far; a removed song's index is not given to another.
    n_fingerprints : int >= 1
        One per reference hop, with those of silence.
    n_codes : int in [1, n_fingerprints]
        Fingerprints that can be found; silence is alike everywhere and has none.
    n_cells, n_subspaces : int
        Coarse cells and code bytes per fingerprint; 0 in the flat layout.
    annoy_trees, annoy_seed : int
    files : mapping of role to record
        ``{"name", "sha256", "bytes"}`` for every role of the layout; `OPTIONAL_ROLES` may be missing.
    """

    schema_version: int
    layout: str
    generation: int
    embedding_space: str
    encoder: str
    dim: int
    hop_s: float
    window_s: float
    n_songs: int
    n_slots: int
    n_fingerprints: int
    n_codes: int
    n_cells: int
    n_subspaces: int
    annoy_trees: int
    annoy_seed: int
    files: Mapping[str, Mapping[str, Any]]
    code_kind: CodeKind = "product"

    def __post_init__(self) -> None:
        kinds = CODE_KINDS if self.layout == "pq" else ("product",)
        known = isinstance(self.code_kind, str) and self.code_kind in kinds
        _check(known, "code_kind", f"one of {kinds}", self.code_kind)
        self._check_count("schema_version", schema_of(self.code_kind), schema_of(self.code_kind))
        _check(isinstance(self.layout, str) and self.layout in LAYOUTS, "layout", f"one of {LAYOUTS}", self.layout)
        self._check_count("generation", 1, 10**9 - 1)
        self._check_count("dim", 1, MAX_DIM)
        self._check_count("n_fingerprints", 1, MAX_FINGERPRINTS)
        self._check_count("n_codes", 1, self.n_fingerprints)
        self._check_count("n_slots", 1, MAX_FINGERPRINTS)
        self._check_count("n_songs", 1, min(self.n_slots, self.n_fingerprints))
        self._check_count("annoy_trees", 1, 1000)
        self._check_count("annoy_seed", 0, 2**31 - 1)
        if self.layout == "pq":
            self._check_count("n_cells", 1, MAX_CELLS)
            self._check_count("n_subspaces", 1, self.dim)
            fits = code_fits(self.n_subspaces, self.dim, self.code_kind)
            _check(fits, "n_subspaces", f"a divisor of {self.dim}", self.n_subspaces)
        else:
            self._check_count("n_cells", 0, 0)
            self._check_count("n_subspaces", 0, 0)
        for name in ("hop_s", "window_s"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            _check(number and MIN_HOP_S <= value <= 60, name, f"seconds in [{MIN_HOP_S}, 60]", value)
        valid = isinstance(self.embedding_space, str) and _SPACE_ID.fullmatch(self.embedding_space)
        _check(bool(valid), "embedding_space", "an id", self.embedding_space)
        _check(isinstance(self.encoder, str) and len(self.encoder) <= 200, "encoder", "a short name", self.encoder)
        self._check_files()

    def _check_count(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        number = isinstance(value, int) and not isinstance(value, bool)
        _check(number and low <= value <= high, name, f"an integer in [{low}, {high}]", value)

    def _check_files(self) -> None:
        roles = layout_files(self.layout, self.code_kind)
        found = set(self.files) if isinstance(self.files, Mapping) else set()
        optional = OPTIONAL_ROLES if self.code_kind == "residual" else frozenset()
        _check(set(roles) - optional <= found <= set(roles), "files", f"the roles {sorted(roles)}", sorted(found))
        for role in sorted(found):
            record, suffix = self.files[role], roles[role]
            name = record.get("name") if isinstance(record, Mapping) else None
            # A plain name of our own making: it cannot leave the folder, nor name another role's file.
            plain = isinstance(name, str) and _FILE_NAME.fullmatch(name) is not None
            ours = plain and str(name).startswith(f"{role}-") and str(name).endswith(f".{suffix}")
            _check(ours, f"files.{role}.name", f"{role}-<generation>.{suffix}", name)
            n_bytes, sha256 = record.get("bytes"), record.get("sha256")
            _check(isinstance(n_bytes, int) and n_bytes >= 0, f"files.{role}.bytes", "a size", n_bytes)
            _check(isinstance(sha256, str) and len(sha256) == 64, f"files.{role}.sha256", "64 hex digits", sha256)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; equal input gives equal bytes, hence no date in it."""
        body = {
            "kind": "database",
            "written_by": f"nowplaying {__version__}",
            **asdict(self),
            "files": {role: dict(record) for role, record in self.files.items()},
        }
        if not _has_code_kind(body):
            del body["code_kind"]
        return {**body, "digest": manifest_digest(body)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "DatabaseManifest":
        """Validate a parsed manifest.

        Raises
        ------
        CorruptArtifactError
            When a field is missing, of another type, or out of its bounds; the message names the field.
        """
        names = [name for name in cls.__dataclass_fields__ if name != "code_kind" or _has_code_kind(value)]
        missing = [name for name in names if name not in value]
        if missing:
            message = f"database manifest: expected the fields {missing}, found none; restore or rebuild the database"
            raise CorruptArtifactError(message)
        return cls(**{name: value[name] for name in names})


def load_manifest(folder: Path, name: str = MANIFEST_NAME) -> DatabaseManifest:
    """Read and validate the manifest of a database folder, or one that is kept there under another name.

    Raises
    ------
    DatabaseError
        When the folder does not exist or is not a database.
    CorruptArtifactError
        When the manifest is unreadable or breaks its bounds.
    UnsupportedVersionError
        When the database was written under another schema.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        message = f"{folder}: expected a database folder (NAME.npdb), found {found}; build one with 'nowplaying index'"
        raise DatabaseError(message)
    if not any(folder.iterdir()):
        message = f"{folder}: the folder is empty, not a database; build one with 'nowplaying index'"
        raise DatabaseError(message)
    if not (folder / name).exists():
        message = f"{folder}: expected a database folder with {name}, found none in it; check the path, or restore it"
        raise CorruptArtifactError(message)
    return read_database_manifest(folder / name)


def read_database_manifest(path: Path, content: bytes | None = None) -> DatabaseManifest:
    """Read and validate one manifest file.

    Parameters
    ----------
    path : Path
    content : bytes, optional
        What the caller has read already; ``path`` then only names it.

    Raises
    ------
    CorruptArtifactError
        When it is no plain file of a manifest's size, is unreadable, or breaks its bounds.
    UnsupportedVersionError
        When the database was written under another schema.
    """
    # A link or a pipe in a folder from elsewhere could make us read something else, or for ever.
    if content is None and (path.is_symlink() or (path.exists() and not path.is_file())):
        message = f"{path}: a link or no file, not the manifest of a database; restore or rebuild the database"
        raise CorruptArtifactError(message)
    n_bytes = len(content) if content is not None else path.stat().st_size if path.exists() else 0
    if n_bytes > MAX_MANIFEST_BYTES:
        message = f"{path}: {n_bytes} bytes are no manifest of a database; restore or rebuild the database"
        raise CorruptArtifactError(message)
    value = read_manifest(path, kind="database", schema_version=DATABASE_SCHEMA_VERSION, content=content)
    if value["schema_version"] not in SCHEMAS.values():
        message = (
            f"{path}: schema_version {value['schema_version']}: written by an unreleased version; index the music again"
        )
        raise UnsupportedVersionError(message)
    if value.get("digest") != manifest_digest(value):
        message = f"{path}: the content differs from its own digest; restore or rebuild the database"
        raise CorruptArtifactError(message)
    try:
        return DatabaseManifest.from_dict(value)
    except CorruptArtifactError as error:
        message = f"{path}: {error}"
        raise CorruptArtifactError(message) from error


def _has_code_kind(manifest: Mapping[str, Any]) -> bool:
    version = manifest.get("schema_version")
    return version != SCHEMAS["product"]


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest's content without its digest, which finds a damaged byte in the manifest too."""
    body = {name: value for name, value in manifest.items() if name != "digest"}
    try:
        text = canonical_json(body)
    except (ValueError, RecursionError):  # NaN and infinity, which Python reads but JSON does not have
        return ""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(valid: bool, name: str, expected: str, found: object) -> None:  # noqa: FBT001 (an assertion)
    if not valid:
        message = f"field {name!r}: expected {expected}, found {str(found)[:200]!r}; restore or rebuild the database"
        raise CorruptArtifactError(message)
