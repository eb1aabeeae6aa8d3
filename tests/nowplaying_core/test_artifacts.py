import json
import os
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core import artifacts
from nowplaying_core.artifacts import (
    canonical_json,
    check_file,
    file_record,
    read_manifest,
    write_arrays,
    write_atomic,
    write_json,
    write_text,
)
from nowplaying_core.errors import ArtifactError, CorruptArtifactError, MissingPathError, UnsupportedVersionError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.tflite").write_bytes(bytes(range(256)) * 8)
    return tmp_path / "model.tflite"


def test_record_of_known_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4's example
    assert file_record(tmp_path / "abc") == {"sha256": sha256, "bytes": 3}


def test_untouched_file_passes(file: Path) -> None:
    check_file(file, file_record(file))


@pytest.mark.parametrize("position", [0, 1_000, 2_047])
def test_one_flipped_bit_is_found(file: Path, position: int) -> None:
    record = file_record(file)
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=r"model\.tflite: SHA-256 differs"):
        check_file(file, record)


def test_truncated_and_missing_files_are_found(file: Path) -> None:
    record = file_record(file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptArtifactError, match="expected 2048 bytes, found 2047"):
        check_file(file, record)
    file.unlink()
    with pytest.raises(CorruptArtifactError, match="missing"):
        check_file(file, record)


def manifest(tmp_path: Path, text: str) -> Path:
    (tmp_path / "manifest.json").write_text(text)
    return tmp_path / "manifest.json"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"kind": "song"}', '{"kind": "model"}', '{"kind": "model", "schema_version": 0}',
     '{"kind": "model", "schema_version": true}', '{"kind": "model", "schema_version": "1"}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_manifest_is_corrupt(tmp_path: Path, text: str) -> None:
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json"):
        read_manifest(manifest(tmp_path, text), kind="model", schema_version=1)


def test_a_manifest_that_may_not_be_read_is_not_called_corrupt(tmp_path: Path) -> None:
    path = manifest(tmp_path, "{}")
    path.chmod(0)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)  # root may read everything
        with pytest.raises(MissingPathError, match=r"manifest\.json: cannot be read .*check the permissions"):
            read_manifest(path, kind="model", schema_version=1)
    finally:
        os.seteuid(before)


def test_missing_manifest_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json"):
        read_manifest(tmp_path / "manifest.json", kind="model", schema_version=1)


def test_newer_schema_is_refused_and_older_read(tmp_path: Path) -> None:
    path = manifest(tmp_path, '{"kind": "model", "schema_version": 2}')
    with pytest.raises(UnsupportedVersionError, match="update nowplaying"):
        read_manifest(path, kind="model", schema_version=1)
    assert read_manifest(path, kind="model", schema_version=3)["schema_version"] == 2


def test_an_unknown_model_name_is_reported_with_the_shipped_ones() -> None:
    with pytest.raises(ArtifactError, match=r"nonsense: .* one of .*detector-v3, "):
        artifacts.builtin_model_dir("nonsense")


def test_failed_write_leaves_the_old_file_and_no_litter(file: Path) -> None:
    before = file.read_bytes()

    def fails(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_atomic(file, fails)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_names_that_are_no_unicode_are_written_with_escapes(tmp_path: Path) -> None:
    name = os.fsdecode(b'caf\xe9 \xc3\xa9 "\xff\xfe"')
    escaped = 'caf\\xe9 é "\\xff\\xfe"'
    write_json(tmp_path / "a.json", {name: [name]})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {escaped: [escaped]}
    write_text(tmp_path / "a.txt", name)
    assert (tmp_path / "a.txt").read_text("utf-8") == escaped


def test_json_is_written_whole_and_without_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"title": "ä", "n": 1})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"title": "ä", "n": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"n": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["n"] == 1


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "ä"]}) == canonical_json({"a": [1.5, "ä"], "b": 1}) == (
        '{"a":[1.5,"\\u00e4"],"b":1}'
    )  # fmt: skip


def test_arrays_come_back_and_a_failed_write_leaves_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    write_arrays(path, {"one": np.arange(3), "allow": np.ones((2, 2), np.float16)})
    with np.load(path, allow_pickle=False) as stored:
        assert stored.files == ["one", "allow"]
        np.testing.assert_array_equal(stored["one"], [0, 1, 2])
    with pytest.raises(ValueError, match="inhomogeneous"):
        write_arrays(path, {"one": [[1], [1, 2]]})  # type: ignore[dict-item]
    with np.load(path, allow_pickle=False) as stored:
        assert stored.files == ["one", "allow"]
    assert [file.name for file in tmp_path.iterdir()] == ["some.npz"]
