"""Who published an export: one signature over its report, which holds the hash of every other file."""

import json
from pathlib import Path
from typing import Final

from nowplaying_core.artifacts import check_file, write_bytes
from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.update.signature import check_signature, sign_bytes

__all__ = ["REPORT", "SIGNATURE", "check_export_signature", "sign_export"]

REPORT: Final = "report.json"
SIGNATURE: Final = "report.json.sig"
_FOR_READING: Final = "report.md"  # says the same as the report, which is what is signed


def sign_export(folder: Path, private_key: str | Path) -> Path:
    """Sign what an export's report states, and return the file with the signature.

    The report must have been written, because it holds the hashes.

    Raises
    ------
    ConfigError
        When the key cannot be read or is of another kind.
    MissingExtraError
        Without the package cryptography.
    """
    target = folder / SIGNATURE
    write_bytes(target, sign_bytes((folder / REPORT).read_bytes(), private_key))
    return target


def check_export_signature(folder: Path, public_key: str | Path) -> int:
    """Check that a key signed an export, and that all its files are as they were; return their number.

    Raises
    ------
    CorruptArtifactError
        When the signature is missing or another's, or a file was changed, added or removed since.
    ConfigError
        When the key cannot be read or is of another kind.
    MissingExtraError
        Without the package cryptography.
    """
    report, signature = folder / REPORT, folder / SIGNATURE
    if not report.is_file():
        message = f"{folder}: expected an export with {REPORT}, found none; give the folder that 'export --out' wrote"
        raise CorruptArtifactError(message)
    content = report.read_bytes()
    check_signature(content, signature.read_bytes() if signature.is_file() else None, public_key, name=folder)
    files = json.loads(content)["files"]
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    found -= {REPORT, SIGNATURE, _FOR_READING}
    if found != set(files):
        differing = ", ".join(sorted(found ^ set(files)))
        message = f"{folder}: files differ from the signed report's ({differing}); copy the bundle again"
        raise CorruptArtifactError(message)
    for name, record in files.items():
        check_file(folder / name, record)
    return len(files)
