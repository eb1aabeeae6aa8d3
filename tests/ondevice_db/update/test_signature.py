"""Signatures: the publisher's own pass, everything else does not."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the sign extra")

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.store.changes import describe_track
from ondevice_db.store.versions import roll_back
from ondevice_db.update.delta import apply_delta, make_delta
from ondevice_db.update.signature import check_database_signature, sign_database
from tests.ondevice_db.material import make_track

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def write_keys(folder: Path, name: str, key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> Path:
    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return write_keys(tmp_path, "publisher", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def copy(pq_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pq_database, tmp_path / "copy.npdb"))


def test_the_publishers_signature_passes(copy: Path, key: Path) -> None:
    assert sign_database(copy, key).name == "manifest-1.sig"
    check_database_signature(copy, key.with_suffix(".pub"))


def test_openssl_agrees(copy: Path, key: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    signature = sign_database(copy, key)
    command = ["openssl", "dgst", "-sha256", "-verify", key.with_suffix(".pub"), "-signature", signature]
    done = subprocess.run([*command, copy / "manifest.json"], capture_output=True, check=False)
    assert done.stdout == b"Verified OK\n"


def test_unsigned_and_other_keys_do_not_pass(copy: Path, key: Path, tmp_path: Path) -> None:
    with pytest.raises(CorruptArtifactError, match="bears no signature"):
        check_database_signature(copy, key.with_suffix(".pub"))
    sign_database(copy, key)
    other = write_keys(tmp_path, "other", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(CorruptArtifactError, match="not that of"):
        check_database_signature(copy, other.with_suffix(".pub"))


@pytest.mark.parametrize("content", [b"", b"x", bytes(71), b"\x30" * 1000])
def test_nonsense_does_not_pass(copy: Path, key: Path, content: bytes) -> None:
    sign_database(copy, key).write_bytes(content)
    with pytest.raises(CorruptArtifactError):
        check_database_signature(copy, key.with_suffix(".pub"))


def test_a_change_ends_a_signature_and_rolling_back_revives_it(copy: Path, key: Path) -> None:
    sign_database(copy, key)
    describe_track(copy, make_track(1).track_id, {"title": "Other"})
    with pytest.raises(CorruptArtifactError, match="bears no signature"):
        check_database_signature(copy, key.with_suffix(".pub"))
    roll_back(copy)
    check_database_signature(copy, key.with_suffix(".pub"))


def test_a_link_is_no_signature(copy: Path, key: Path, tmp_path: Path) -> None:
    signature = sign_database(copy, key)
    signature.rename(tmp_path / "elsewhere")
    signature.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptArtifactError, match="bears no signature"):
        check_database_signature(copy, key.with_suffix(".pub"))


@pytest.mark.parametrize("kind", ["p384", "ed25519", "text", "missing", "public", "passphrase"])
def test_keys_of_another_kind(copy: Path, key: Path, tmp_path: Path, kind: str) -> None:
    wrong = tmp_path / "wrong.pem"
    if kind == "p384":
        wrong = write_keys(tmp_path, "wrong", ec.generate_private_key(ec.SECP384R1()))
    elif kind == "ed25519":
        wrong = write_keys(tmp_path, "wrong", ed25519.Ed25519PrivateKey.generate())
    elif kind == "passphrase":
        locked = BestAvailableEncryption(b"word")
        wrong = write_keys(tmp_path, "wrong", ec.generate_private_key(ec.SECP256R1()), locked)
    elif kind == "text":
        wrong.write_text("no key")
    elif kind == "public":
        wrong = key.with_suffix(".pub")
    with pytest.raises(ConfigError, match=r"wrong\.pem|publisher\.pub"):
        sign_database(copy, wrong)
    assert not (copy / "manifest-1.sig").exists()


def test_a_delta_carries_the_signature_of_the_new_version(copy: Path, key: Path, tmp_path: Path) -> None:
    pytest.importorskip("zstandard", reason="needs the delta extra")
    new = Path(shutil.copytree(copy, tmp_path / "new.npdb"))
    describe_track(new, make_track(1).track_id, {"title": "Other"})
    make_delta(copy, new, tmp_path / "unsigned.npdelta")
    sign_database(new, key)
    make_delta(copy, new, tmp_path / "signed.npdelta")
    public = key.with_suffix(".pub")
    with pytest.raises(CorruptArtifactError, match="bears no signature"):
        apply_delta(copy, tmp_path / "unsigned.npdelta", public_key=public)
    assert sorted(path.name for path in copy.iterdir() if "manifest" in path.name) == ["manifest.json"]
    apply_delta(copy, tmp_path / "signed.npdelta", public_key=public)
    check_database_signature(copy, public)


def test_a_delta_signs_a_database_that_is_at_its_version_already(copy: Path, key: Path, tmp_path: Path) -> None:
    pytest.importorskip("zstandard", reason="needs the delta extra")
    new, before = (Path(shutil.copytree(copy, tmp_path / name)) for name in ("new.npdb", "before.npdb"))
    describe_track(new, make_track(1).track_id, {"title": "Other"})
    make_delta(copy, new, tmp_path / "unsigned.npdelta")
    apply_delta(copy, tmp_path / "unsigned.npdelta")
    sign_database(new, key)
    make_delta(before, new, tmp_path / "signed.npdelta")
    apply_delta(copy, tmp_path / "signed.npdelta", public_key=key.with_suffix(".pub"))
    check_database_signature(copy, key.with_suffix(".pub"))
