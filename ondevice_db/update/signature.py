"""Who published a database: an ECDSA signature over its manifest, which holds the hash of everything else.

The curve is NIST P-256 with SHA-256, which every Android can check. The signature covers the bytes of
``manifest.json`` as they are, so that ``openssl dgst -sha256 -verify`` checks it too.
"""

from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_bytes
from nowplaying_core.errors import ConfigError, CorruptArtifactError, needs_extra, unreadable
from ondevice_db.format.lock import writer_lock
from ondevice_db.format.manifest import MANIFEST_NAME
from ondevice_db.store.store import SongDatabase
from ondevice_db.store.versions import signature_name

__all__ = ["check_database_signature", "check_signature", "sign_bytes", "sign_database"]

_MAX_SIGNATURE_BYTES = 256  # one of P-256 has about 71
_MAX_KEY_BYTES = 1 << 16


def sign_database(path: str | Path, private_key: str | Path) -> Path:
    """Sign the current version of a database.

    Parameters
    ----------
    path : str or Path
    private_key : str or Path
        PEM file of a P-256 key without a passphrase.

    Returns
    -------
    Path
        The file with the signature, in the database's folder.

    Raises
    ------
    ArtifactError
        When the database is damaged.
    ConfigError
        When the key cannot be read or is of another kind.
    MissingExtraError
        Without the package cryptography.
    """
    folder = Path(path)
    key = _load_key(Path(private_key), private=True)
    SongDatabase.open(folder)
    with writer_lock(folder):
        manifest = SongDatabase.open(folder).manifest
        signature = key.sign((folder / MANIFEST_NAME).read_bytes(), _algorithm())
        target = folder / signature_name(manifest.generation)
        write_bytes(target, signature)
    return target


def sign_bytes(content: bytes, private_key: str | Path) -> bytes:
    """Return the signature of some bytes, which ``check_signature`` and ``openssl dgst -sha256 -verify`` check.

    Raises
    ------
    ConfigError
        When the key cannot be read or is of another kind.
    MissingExtraError
        Without the package cryptography.
    """
    signature: bytes = _load_key(Path(private_key), private=True).sign(content, _algorithm())
    return signature


def check_database_signature(path: str | Path, public_key: str | Path) -> None:
    """Check that a database's current version bears a key's signature.

    Raises
    ------
    CorruptArtifactError
        When it has none, or another's, or was changed after it was signed.
    ConfigError
        When the key cannot be read or is of another kind.
    MissingExtraError
        Without the package cryptography.
    """
    folder = Path(path)
    manifest = SongDatabase.open(folder, check_hashes=False).manifest
    file = folder / signature_name(manifest.generation)
    plain = file.is_file() and not file.is_symlink() and file.stat().st_size <= _MAX_SIGNATURE_BYTES
    signature = file.read_bytes() if plain else None
    check_signature((folder / MANIFEST_NAME).read_bytes(), signature, public_key, name=folder)


def check_signature(manifest: bytes, signature: bytes | None, public_key: str | Path, *, name: Path) -> None:
    """Check the signature of a manifest's bytes.

    Parameters
    ----------
    manifest : bytes
    signature : bytes or None
        None is refused.
    public_key : str or Path
        PEM file of a P-256 key.
    name : Path
        What is checked, for messages.

    Raises
    ------
    CorruptArtifactError
        When the signature is missing or not this key's.
    ConfigError
        When the key cannot be read or is of another kind.
    """
    key = _load_key(Path(public_key), private=False)
    from cryptography.exceptions import InvalidSignature

    if signature is None:
        message = f"{name}: bears no signature, expected that of {public_key}; get it from its publisher again"
        raise CorruptArtifactError(message)
    try:
        key.verify(signature[:_MAX_SIGNATURE_BYTES], manifest, _algorithm())
    except InvalidSignature as error:
        message = f"{name}: its signature is not that of {public_key}, or it was changed since; do not use it"
        raise CorruptArtifactError(message) from error


def _load_key(path: Path, *, private: bool) -> Any:
    with needs_extra("sign", "a database's signature"):
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
    kind = "private" if private else "public"
    try:
        with path.open("rb") as handle:
            content = handle.read(_MAX_KEY_BYTES)
        key = load_pem_private_key(content, password=None) if private else load_pem_public_key(content)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"{path}: expected a PEM file with a {kind} key and no passphrase, as docs/databases.md makes one"
        raise unreadable(message, error) from error
    expected = ec.EllipticCurvePrivateKey if private else ec.EllipticCurvePublicKey
    if not isinstance(key, expected) or not isinstance(key.curve, ec.SECP256R1):
        message = f"{path}: expected a {kind} key on the curve P-256; docs/databases.md says how to make one"
        raise ConfigError(message)
    return key


def _algorithm() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    return ec.ECDSA(SHA256())
