"""The whole verification on the demo's own recordings: it passes as things are, and fails on any byte that matters."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from export.bundle import export_bundle
from export.firmware import export_firmware
from export.parity.detector import verify_dsp
from export.parity.report import TOLERANCES, ParityReport
from export.parity.sounds import load_sounds
from export.parity.subject import open_subject
from export.parity.verify import verify_export
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir, file_record
from nowplaying_core.errors import AudioFormatError, CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from simulator.scenes.recordings import demo_recordings
from tests.detector.sounds import noise
from tests.export.parity.mutation import copied, mutate_weight, scale_output, seal

pytestmark = pytest.mark.train
RECORDINGS = {
    "music": [demo_recordings()[name].path for name in ("fur-elise", "low-fi")],
    "other": [demo_recordings()[name].path for name in ("talking", "rain")],
}
Sounds = dict[str, list[Path]]


@pytest.fixture(scope="module")
def sounds(music_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    """Made sounds, for what any sound shows."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    soundfile.write(path, noise(1, 12.0, 0.05), 16_000, subtype="PCM_16")
    return {"music": [music_folder / "song-0.wav"], "other": [path]}


def out(report: ParityReport) -> set[str]:
    return {figure.name for figure in report.figures if not figure.is_within}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    export_bundle(folder, detector=SHIPPED_DETECTOR, fingerprinter=SHIPPED_FINGERPRINTER, half=True)
    return folder


def test_an_export_is_what_was_evaluated(bundle: Path) -> None:
    pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    report = verify_export(bundle, **RECORDINGS)
    report.check(strict=True)
    assert {figure.name for figure in report.figures} == set(TOLERANCES), "every tolerance has its figure"
    assert [len(layers) for layers in report.layers.values()] == [14, 16, 11]


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda path: mutate_weight(path, layer=3, part=1), "detector, worst kernel"),
        (lambda path: mutate_weight(path, layer=3, part=2), "detector, worst bias"),
        (lambda path: scale_output(path, layer=13, factor=0.02), "detector, worst layer"),
    ],
)
def test_a_harmed_detector_is_noticed(harm, expected: str, sounds: Sounds, tmp_path: Path) -> None:
    folder = copied(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "detector")
    harm(folder / MODEL_FILE)
    seal(folder, MODEL_FILE)
    assert expected in out(verify_export(folder, **sounds))


def test_a_harmed_second_stage_is_noticed(tmp_path: Path) -> None:
    folder = copied(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "detector")
    mutate_weight(folder / SECOND_STAGE_FILE, layer=3, part=1)
    seal(folder, SECOND_STAGE_FILE)
    assert out(verify_export(folder, **RECORDINGS)) == {"second stage, worst kernel"}


def test_sources_of_another_second_stage_are_noticed(bundle: Path, sounds: Sounds, tmp_path: Path) -> None:
    folder = tmp_path / "dsp"
    shutil.copytree(bundle / "dsp", folder)
    detector = ModelFolder.open(bundle / "phone/models/detector")
    loaded = load_sounds(sounds["music"], sounds["other"], max_items=2)
    report = ParityReport("as it was")
    verify_dsp(folder, detector, loaded, report)
    assert out(report) == set()
    for name, old, new in (
        ("detector_second_stage.h", "DETECTOR_WANTED_ABOVE 64", "DETECTOR_WANTED_ABOVE 255"),
        ("detector_second_stage_model.h", "AVERAGE_POOL_2D, ", ""),
        ("detector_second_stage_model.h", "STAGE_ARENA_BYTES 1", "STAGE_ARENA_BYTES "),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    report = ParityReport("changed")
    verify_dsp(folder, detector, loaded, report)
    names = {"operations of headers", "phone to DSP, threshold", "golden vector of the cascade"}
    assert out(report) >= names
    assert out(report) <= {*names, "arena beyond headers'"}, "the arena is known where the micro extra is"


def test_sources_of_one_stage_beside_a_phone_of_two_are_noticed(sounds: Sounds, tmp_path: Path) -> None:
    detector = ModelFolder.open(SHIPPED_DETECTOR)
    one = replace(detector, manifest={key: value for key, value in detector.manifest.items() if key != "cascade"})
    export_firmware(one, tmp_path / "dsp")
    report = ParityReport("x")
    loaded = load_sounds(sounds["music"], sounds["other"], max_items=2)
    verify_dsp(tmp_path / "dsp", detector, loaded, report)
    assert out(report) == {"phone to DSP, second stage"}


def test_one_harmed_weight_of_the_encoder_is_noticed(sounds: Sounds, tmp_path: Path) -> None:
    folder = copied(builtin_model_dir(SHIPPED_FINGERPRINTER), tmp_path / "fingerprinter")
    mutate_weight(folder / "encoder.tflite", layer=4, part=1)
    seal(folder, "encoder.tflite")
    assert "encoder, worst kernel" in out(verify_export(folder, **sounds))


def test_a_detector_with_states_is_verified_too(tmp_path: Path) -> None:
    folder = copied(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "detector")
    report = verify_export(folder, **RECORDINGS)
    report.check()
    assert len(report.layers["detector"]) == 14
    mutate_weight(folder / MODEL_FILE, layer=12, part=1)
    seal(folder, MODEL_FILE)
    assert "detector, worst kernel" in out(verify_export(folder, **RECORDINGS))


def test_a_damaged_bundle_does_not_open(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(bundle, folder)
    assert open_subject(folder).dsp == folder / "dsp"
    graph = folder / "phone/models/detector" / MODEL_FILE
    mutate_weight(graph, layer=0, part=1)
    with pytest.raises(CorruptArtifactError, match="SHA-256"):
        open_subject(folder)
    seal(graph.parent, MODEL_FILE)
    stated = json.loads((folder / "phone/bundle.json").read_text(encoding="utf-8"))
    for name in ("models/detector/manifest.json", f"models/detector/{MODEL_FILE}"):
        stated["files"][name] = file_record(folder / "phone" / name)
    (folder / "phone/bundle.json").write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(CorruptArtifactError, match="not the one that the manifest names"):
        open_subject(folder)
    assert open_subject(folder / "dsp").detector is None


def test_without_float_weights_the_rest_is_compared_and_said(sounds: Sounds, tmp_path: Path) -> None:
    folder = copied(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "detector")
    (folder / "weights.npz").unlink()
    stated = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(stated | {"name": "of-my-own"}), encoding="utf-8")
    report = verify_export(folder, **sounds)
    assert report.left_out["detector in float"] == "the float weights of of-my-own are not here"
    assert {figure.name for figure in report.figures} <= {"LiteRT to TFLM", "second stage, LiteRT to TFLM"}
    given = verify_export(folder, **sounds, weights=[builtin_model_dir(SHIPPED_DETECTOR)])
    assert "detector, worst kernel" in {figure.name for figure in given.figures}


def test_no_recordings_are_an_error(bundle: Path, sounds: Sounds) -> None:
    with pytest.raises(AudioFormatError, match="at least 10 s"):
        verify_export(bundle, music=[], other=sounds["other"])
