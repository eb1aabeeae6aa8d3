import json

import numpy as np
import pytest

from export.bundle import export_bundle
from fingerprinter.fingerprint import Fingerprinter
from nowplaying.artifacts import check_file
from nowplaying.errors import ArtifactError, ConfigError, ManifestMismatchError
from nowplaying.manifest import ModelFolder
from ondevice_db.builder import DatabaseWriter, FingerprintSettings
from ondevice_db.schema import Track
from ondevice_db.store import SongDatabase

MODELS = {"detector": "detector-v1", "fingerprinter": "fingerprinter-v1"}


def build_database(path, rng, embedding_space):
    settings = FingerprintSettings(
        embedding_space=embedding_space, encoder="fingerprinter-v1", dim=96, hop_s=1.0, window_s=2.048
    )
    with DatabaseWriter(path, settings=settings, layout="flat") as writer:
        for number in range(3):
            vectors = rng.standard_normal((20, 96)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            track = Track(track_id=f"{number:016x}", title=f"Song {number}", source="x.wav", duration_s=21.0)
            writer.add(track, vectors)
        writer.finish()
    return path


def test_bundle_holds_what_its_manifest_says(tmp_path, rng):
    space = Fingerprinter.from_model().embedding_space
    database = build_database(tmp_path / "songs.npdb", rng, space)
    report = export_bundle(tmp_path / "phone", **MODELS, database=database)
    stated = json.loads((report.path / "bundle.json").read_text(encoding="utf-8"))
    found = {p.relative_to(report.path).as_posix() for p in report.path.rglob("*") if p.is_file()} - {"bundle.json"}
    assert set(stated["files"]) == found
    for name, record in stated["files"].items():
        check_file(report.path / name, record)
    assert ModelFolder.open(report.path / "models" / "detector", role="detector").manifest["name"] == "detector-v1"
    assert SongDatabase.open(report.path / "songs.npdb", space).n_songs == 3


def test_a_foreign_database_leaves_nothing_behind(tmp_path, rng):
    database = build_database(tmp_path / "songs.npdb", rng, "0" * 16)
    with pytest.raises(ManifestMismatchError):
        export_bundle(tmp_path / "phone", **MODELS, database=database)
    assert [path.name for path in tmp_path.iterdir()] == ["songs.npdb"]


def test_an_occupied_folder_is_left_alone(tmp_path):
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="empty"):
        export_bundle(tmp_path / "phone", **MODELS)
    assert (tmp_path / "phone" / "letter.txt").read_text() == "mine"


def test_an_unknown_model_leaves_nothing_behind(tmp_path):
    with pytest.raises(ArtifactError, match="no-such"):
        export_bundle(tmp_path / "phone", detector="no-such", fingerprinter="fingerprinter-v1")
    assert not list(tmp_path.iterdir())
