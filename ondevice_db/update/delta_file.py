"""The file between two versions of a database: a header that lists the parts, and the parts with their hashes.

``NPDELTA1``, four bytes of header length (little-endian), the header in JSON, the parts one after the other. A delta
is downloaded, so every number in it is checked against the file's own size before anything is allocated for it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from nowplaying_core.artifacts import canonical_json, write_bytes
from nowplaying_core.errors import CorruptArtifactError, MissingPathError, UnsupportedVersionError

__all__ = ["DELTA_SCHEMA_VERSION", "Delta", "read_delta", "write_delta"]

DELTA_SCHEMA_VERSION = 1
_MAGIC = b"NPDELTA1"
_MAX_HEADER_BYTES = 1 << 20
_HASH_DIGITS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """The difference between two versions of a database.

    Attributes
    ----------
    old_sha256 : str
        Of the old version's ``manifest.json``.
    manifest : bytes
        The new version's ``manifest.json``.
    signature : bytes or None
        Of the new manifest.
    files : mapping of role to method
        "same": a file of the old version; "derived": made from the songs' cells and codes; "patch": part of that
        name, to be expanded with the old version's file at hand.
    parts : mapping of name to bytes
    n_bytes : int
        Size of the file that it was read from; 0 for one that was not.
    """

    old_sha256: str
    manifest: bytes
    signature: bytes | None
    files: Mapping[str, str]
    parts: Mapping[str, bytes]
    n_bytes: int = 0


def write_delta(path: Path, delta: Delta) -> int:
    """Write a delta whole or not at all, and return its size in bytes."""
    header = {
        "kind": "database-delta",
        "schema_version": DELTA_SCHEMA_VERSION,
        "old_sha256": delta.old_sha256,
        "manifest": delta.manifest.decode("utf-8"),
        "signature": None if delta.signature is None else delta.signature.hex(),
        "files": dict(delta.files),
        "parts": [[name, len(part), hashlib.sha256(part).hexdigest()] for name, part in delta.parts.items()],
    }
    text = canonical_json({**header, "digest": _digest(header)}).encode("utf-8")
    content = b"".join([_MAGIC, len(text).to_bytes(4, "little"), text, *delta.parts.values()])
    write_bytes(path, content)
    return len(content)


def read_delta(path: Path) -> Delta:
    """Read a delta and check that it is whole.

    Raises
    ------
    MissingPathError
        When there is no such file.
    CorruptArtifactError
        When it is no delta, cut, longer than it says, or a hash differs.
    UnsupportedVersionError
        When it was written under a newer schema.
    """
    if not path.exists():
        message = f"{path}: expected a delta file, found nothing; check the path"
        raise MissingPathError(message)
    if path.is_symlink() or not path.is_file():
        _refuse(path, "expected a delta file, found a link or no file")
    content = path.read_bytes()
    start = len(_MAGIC) + 4
    if content[: len(_MAGIC)] != _MAGIC or len(content) < start:
        _refuse(path, "not a delta between two versions of a database")
    length = int.from_bytes(content[len(_MAGIC) : start], "little")
    if length > min(_MAX_HEADER_BYTES, len(content) - start):
        _refuse(path, f"a header of {length} bytes does not fit in")
    header = _parse(path, content[start : start + length])
    parts: dict[str, bytes] = {}
    at = start + length
    for name, n_bytes, sha256 in header["parts"]:
        part = content[at : at + n_bytes]
        if len(part) != n_bytes or hashlib.sha256(part).hexdigest() != sha256 or name in parts:
            _refuse(path, f"part {name!r} is cut, damaged or twice in it")
        parts[name] = part
        at += n_bytes
    if at != len(content):
        _refuse(path, f"expected {at} bytes, found {len(content)}")
    return Delta(
        old_sha256=header["old_sha256"],
        manifest=header["manifest"].encode("utf-8"),
        signature=None if header["signature"] is None else bytes.fromhex(header["signature"]),
        files=header["files"],
        parts=parts,
        n_bytes=len(content),
    )


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        _refuse(path, "its header is no JSON")
    if not isinstance(header, dict) or header.get("kind") != "database-delta":
        _refuse(path, "its header is not that of a delta")
    version = header.get("schema_version")
    if isinstance(version, int) and version > DELTA_SCHEMA_VERSION:
        message = f"{path}: schema_version {version} is newer than {DELTA_SCHEMA_VERSION}; update nowplaying to read it"
        raise UnsupportedVersionError(message)
    valid = (
        header.get("digest") == _digest(header)
        and version == DELTA_SCHEMA_VERSION
        and _is_hex(header.get("old_sha256"), _HASH_DIGITS)
        and isinstance(header.get("manifest"), str)
        and (header.get("signature", 0) is None or _is_hex(header.get("signature")))
        and isinstance(header.get("files"), dict)
        and all(isinstance(method, str) for method in header["files"].values())
        and isinstance(header.get("parts"), list)
        and all(_is_part(part) for part in header["parts"])
    )
    if not valid:
        _refuse(path, "its header is damaged")
    return header


def _is_part(part: object) -> bool:
    if not isinstance(part, list) or len(part) != 3:
        return False
    name, n_bytes, sha256 = part
    return isinstance(name, str) and type(n_bytes) is int and n_bytes >= 0 and _is_hex(sha256, _HASH_DIGITS)


def _is_hex(text: object, n_digits: int | None = None) -> bool:
    if not isinstance(text, str) or len(text) % 2 or (n_digits is not None and len(text) != n_digits):
        return False
    return all(letter in "0123456789abcdef" for letter in text)


def _digest(header: Mapping[str, Any]) -> str:
    body = {name: value for name, value in header.items() if name != "digest"}
    try:
        return hashlib.sha256(canonical_json(body).encode()).hexdigest()
    except (ValueError, RecursionError):
        return ""


def _refuse(path: Path, reason: str) -> NoReturn:
    message = f"{path}: {reason}; download it again"
    raise CorruptArtifactError(message)
