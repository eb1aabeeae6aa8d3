import json
from pathlib import Path
from typing import Any

import pytest

from nowplaying_core.artifacts import file_record
from nowplaying_core.errors import ArtifactError, CorruptArtifactError
from nowplaying_core.manifest import ModelFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.tflite").write_bytes(b"graph")
    write(tmp_path)
    return tmp_path


def write(folder: Path, **changes: Any) -> None:
    files = {"a.tflite": file_record(folder / "a.tflite")}
    table = {"kind": "model", "schema_version": 1, "role": "detector", "name": "d", "files": files} | changes
    (folder / "manifest.json").write_text(json.dumps(table))


def test_good_folder_opens(folder: Path) -> None:
    opened = ModelFolder.open(folder, role="detector")
    assert opened.file("a.tflite") == folder / "a.tflite"
    with pytest.raises(CorruptArtifactError, match=r"b\.tflite"):
        opened.file("b.tflite")


@pytest.mark.parametrize("files", [None, {}, [], {"a.tflite": None}, {"a.tflite": {}}, {"b.tflite": {"bytes": 1}}])
def test_wrong_file_tables_are_corrupt(folder: Path, files: Any) -> None:
    write(folder, files=files)
    with pytest.raises(CorruptArtifactError):
        ModelFolder.open(folder, role="detector")


@pytest.mark.parametrize("name", ["../a.tflite", "/etc/hostname", "sub/a.tflite"])
def test_manifest_cannot_point_outside_its_folder(folder: Path, name: str) -> None:
    write(folder, files={name: {"sha256": "0" * 64, "bytes": 1}})
    with pytest.raises(CorruptArtifactError, match="no plain file name"):
        ModelFolder.open(folder, role="detector")


def test_another_role_is_refused(folder: Path) -> None:
    with pytest.raises(CorruptArtifactError, match="expected a fingerprinter model"):
        ModelFolder.open(folder, role="fingerprinter")


def test_flipped_byte_is_refused(folder: Path) -> None:
    (folder / "a.tflite").write_bytes(b"grapi")
    with pytest.raises(CorruptArtifactError, match="SHA-256"):
        ModelFolder.open(folder, role="detector")


def test_folder_without_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        ModelFolder.open(tmp_path / "nothing", role="detector")
