import json
from pathlib import Path

import numpy as np
import pytest

from detector.stream import MODEL_FILE, StreamingDetector
from export.bundle import export_bundle
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, check_file
from nowplaying_core.errors import ArtifactError, ConfigError, ManifestMismatchError
from nowplaying_core.manifest import ModelFolder
from ondevice_db.format.track import Track
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

MODELS = {"detector": SHIPPED_DETECTOR, "fingerprinter": SHIPPED_FINGERPRINTER}


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


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_bundles_hold_what_their_manifests_say(tmp_path, rng):
    space = Fingerprinter.from_model().embedding_space
    names = ["songs.npdb", "more.npdb"]
    databases = [build_database(tmp_path / name, rng, space) for name in names]
    report = export_bundle(tmp_path / "out", **MODELS, databases=databases)
    for target in ("phone", "dsp"):
        folder = report.path / target
        stated = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        assert stated["target"] == target
        assert set(stated["files"]) == set(contents(folder)) - {"bundle.json"}
        for name, record in stated["files"].items():
            check_file(folder / name, record)
    phone = json.loads((report.path / "phone" / "bundle.json").read_text(encoding="utf-8"))
    assert phone["databases"] == [f"packs/{name}" for name in names]
    assert phone["embedding_space"] == space
    for name in phone["databases"]:
        assert SongDatabase.open(report.path / "phone" / name, space).n_songs == 3
    assert set(contents(report.path)) == {*report.files, "report.json", "report.md"}
    assert json.loads((report.path / "report.json").read_text(encoding="utf-8")) == report.to_dict()


def test_models_of_a_bundle_answer_as_the_shipped_ones(tmp_path, songs):
    phone = export_bundle(tmp_path / "out", **MODELS).path / "phone"
    ours, theirs = Fingerprinter.from_model(), Fingerprinter.from_model(phone / "models" / "fingerprinter")
    assert theirs.embedding_space == ours.embedding_space, "databases must go on to open"
    assert np.array_equal(theirs.embed(songs[0], 1.0), ours.embed(songs[0], 1.0))
    found, expected = (
        StreamingDetector.from_model(source).process(songs[1])
        for source in (phone / "models" / "detector", SHIPPED_DETECTOR)
    )
    assert found == expected
    assert ModelFolder.open(phone / "models" / "detector", role="detector").file(MODEL_FILE).stat().st_size > 0


def test_exporting_twice_gives_the_same_bytes(tmp_path, rng):
    database = build_database(tmp_path / "songs.npdb", rng, Fingerprinter.from_model().embedding_space)
    one, two = (
        contents(export_bundle(tmp_path / name, **MODELS, databases=[database]).path) for name in ("one", "two")
    )
    assert one == two


def test_report_tells_sizes_and_operations(tmp_path):
    report = export_bundle(tmp_path / "out", **MODELS)
    facts = report.graphs["phone/models/fingerprinter/frontend.tflite"]
    assert facts["operators"]["RFFT2D"] == 1
    assert facts["bytes"] == report.files["phone/models/fingerprinter/frontend.tflite"]["bytes"]
    text = (report.path / "report.md").read_text(encoding="utf-8")
    assert "1 RFFT2D" in text
    assert f"{report.n_bytes:,}" in text


def test_two_databases_of_one_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="different names"):
        export_bundle(tmp_path / "out", **MODELS, databases=[tmp_path / "a" / "x.npdb", tmp_path / "b" / "x.npdb"])
    assert not list(tmp_path.iterdir())


def test_a_foreign_database_leaves_nothing_behind(tmp_path, rng):
    database = build_database(tmp_path / "songs.npdb", rng, "0" * 16)
    with pytest.raises(ManifestMismatchError):
        export_bundle(tmp_path / "phone", **MODELS, databases=[database])
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
