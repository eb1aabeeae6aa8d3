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
        embedding_space=embedding_space, encoder=SHIPPED_FINGERPRINTER, dim=96, hop_s=1.0, window_s=2.048
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


def test_a_bundle_explains_itself(tmp_path, rng):
    database = build_database(tmp_path / "songs.npdb", rng, Fingerprinter.from_model().embedding_space)
    folder = export_bundle(tmp_path / "out", **MODELS, databases=[database]).path
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert "$" not in page
    gate = ModelFolder.open(SHIPPED_DETECTOR).manifest["gate"]
    for fact in (
        "`songs.npdb`",
        "4.48 s",
        f"below {gate['silence_dbfs']:g} dBFS",
        Fingerprinter.from_model().embedding_space,
    ):
        assert fact in page
    root = Path(__file__).resolve().parents[2]
    for name in ("LICENSE", "NOTICE"):
        assert (folder / name).read_bytes() == (root / name).read_bytes()
    assert "](" not in (folder / "pack-format.md").read_text(encoding="utf-8")
    for role, name in MODELS.items():
        card = (folder / "phone/models" / role / "MODEL_CARD.md").read_bytes()
        assert card == (root / "models" / name / "MODEL_CARD.md").read_bytes()


def test_the_golden_vectors_are_what_the_models_compute(tmp_path):
    folder = export_bundle(tmp_path / "out", **MODELS).path
    golden = json.loads((folder / "golden/golden.json").read_text(encoding="utf-8"))
    pcm = np.fromfile(folder / "golden" / golden["pcm"], "<i2")
    detector = StreamingDetector.from_model(folder / "phone/models/detector", reference_kernels=True)
    frames = detector.features(pcm)
    assert frames.tolist() == golden["detector"]["frames"]
    assert [round(256 * one.probability) for one in detector.process_features(frames)] == golden["detector"]["outputs"]
    assert len(golden["detector"]["outputs"]) == len(golden["detector"]["is_music"]) == 6
    rows = Fingerprinter.from_model().embed(pcm.astype(np.float32) / 32_768, 0.5)
    assert np.allclose(rows, golden["fingerprinter"]["embeddings"], atol=1e-6)
    assert np.shape(golden["neighbors"]) == (12, 5, 2)
    assert len(golden["fingerprinter"]["log_mel_int8"]) == 96 * 64
    answer = golden["answer"]
    assert (answer["song"], answer["title"]) == (2, "Golden song 2")
    assert abs(answer["offset_s"] - 1.3) < 0.15
    assert answer["score"] > answer["threshold"]


def test_force_replaces_an_export_and_nothing_else(tmp_path):
    first = export_bundle(tmp_path / "out", **MODELS)
    (first.path / "letter.txt").write_text("old")
    with pytest.raises(ConfigError, match="--force replaces it"):
        export_bundle(tmp_path / "out", **MODELS)
    assert (first.path / "letter.txt").exists()
    with pytest.raises(ArtifactError, match="no-such"):
        export_bundle(tmp_path / "out", detector="no-such", fingerprinter=SHIPPED_FINGERPRINTER, force=True)
    assert (first.path / "letter.txt").exists()
    export_bundle(tmp_path / "out", **MODELS, force=True)
    assert not (first.path / "letter.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "music").mkdir()
    (tmp_path / "music/song.wav").write_text("mine")
    with pytest.raises(ConfigError, match="choose another"):
        export_bundle(tmp_path / "music", **MODELS, force=True)
    assert (tmp_path / "music/song.wav").exists()


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
        export_bundle(tmp_path / "phone", detector="no-such", fingerprinter=SHIPPED_FINGERPRINTER)
    assert not list(tmp_path.iterdir())


def test_a_detector_of_two_stages_is_exported_whole(tmp_path, songs):
    bundle = export_bundle(tmp_path / "out", detector=SHIPPED_DETECTOR, fingerprinter=SHIPPED_FINGERPRINTER).path
    assert {"detector_second_stage.c", "detector_second_stage_model.c"} <= {
        path.name for path in (bundle / "dsp").iterdir()
    }
    assert "`phone/models/detector/second_stage.tflite` decides" in (bundle / "README.md").read_text(encoding="utf-8")
    found, expected = (
        StreamingDetector.from_model(source).process(songs[1])
        for source in (bundle / "phone" / "models" / "detector", SHIPPED_DETECTOR)
    )
    assert found == expected


def test_an_earlier_export_outlives_two_runs_that_end_early(tmp_path, rng):
    """The first was killed after it had put the earlier export aside, the second has a database of another encoder."""
    earlier = tmp_path / ".out.earlier"
    earlier.mkdir()
    (earlier / "report.json").write_text("{}")
    other = build_database(tmp_path / "other.npdb", rng, "0123456789abcdef")
    with pytest.raises(ManifestMismatchError):
        export_bundle(tmp_path / "out", databases=[other], **MODELS)
    assert contents(tmp_path / "out") == {"report.json": b"{}"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.npdb", "out"]
