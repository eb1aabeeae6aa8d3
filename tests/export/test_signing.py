"""An export that is signed as a whole."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from export.signing import check_export_signature, sign_export
from nowplaying_core.artifacts import file_record
from nowplaying_core.errors import ConfigError, CorruptArtifactError


def _keys(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "bundle"
    (folder / "phone").mkdir(parents=True)
    for name in ("LICENSE", "phone/bundle.json"):
        (folder / name).write_text(name)
    files = {name: file_record(folder / name) for name in ("LICENSE", "phone/bundle.json")}
    (folder / "report.json").write_text(json.dumps({"files": files}))
    (folder / "report.md").write_text("for reading")
    private, public = _keys(tmp_path, "ours")
    assert sign_export(folder, private).name == "report.json.sig"
    return folder, public


def test_what_was_signed_is_accepted(signed: tuple[Path, Path]) -> None:
    assert check_export_signature(*signed) == 2


@pytest.mark.parametrize("change", ["changed", "added", "removed", "report", "unsigned", "linked"])
def test_any_change_is_refused(signed: tuple[Path, Path], change: str) -> None:
    folder, public = signed
    if change == "changed":
        (folder / "LICENSE").write_text("LICENSX")
    elif change == "added":
        (folder / "phone" / "more.tflite").write_text("x")
    elif change == "removed":
        (folder / "LICENSE").unlink()
    elif change == "report":
        (folder / "report.json").write_text((folder / "report.json").read_text() + " ")
    elif change == "unsigned":
        (folder / "report.json.sig").unlink()
    else:
        (folder / "link").symlink_to(folder / "LICENSE")
    with pytest.raises(CorruptArtifactError):
        check_export_signature(folder, public)


def test_another_key_and_another_folder_are_refused(signed: tuple[Path, Path], tmp_path: Path) -> None:
    folder, public = signed
    _, other = _keys(tmp_path, "other")
    with pytest.raises(CorruptArtifactError, match="signature is not that of"):
        check_export_signature(folder, other)
    with pytest.raises(CorruptArtifactError, match="expected an export"):
        check_export_signature(tmp_path, public)
    with pytest.raises(ConfigError):
        check_export_signature(folder, folder / "LICENSE")
