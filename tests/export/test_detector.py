import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.features import features_of
from detector.gate import GateConfig
from detector.stream import MODEL_FILE, StreamingDetector
from detector.training.config import DetectorConfig
from detector.training.model import FoldedModel, normalised
from detector.training.second_stage import SecondStageConfig, SecondStageNetwork, build_second_stage, folded
from detector.training.weights import load_weights, save_weights
from export.detector import export_detector
from export.macs import count_macs
from nowplaying.cli.main import app
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir, write_arrays
from nowplaying_core.errors import ConfigError, MissingPathError
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL
from tests.detector.sounds import corpus_folder, noise, pcm
from tests.export.window_graph import convert_window_graph, deployed_model
from tests.synthesis import song

pytestmark = pytest.mark.train
NETWORK = SMALL
SHIPPED = builtin_model_dir(SHIPPED_DETECTOR)


def windows() -> np.ndarray:
    rng = np.random.default_rng(6)
    random = [rng.integers(-128, 128, (446, 40)) for _ in range(4)]
    features = [features_of(pcm(np.concatenate([noise(s, 2.0, 0.02), song(s, 6.0)])))[-446:] for s in range(6)]
    return np.stack([*random, *features]).astype(np.int8)


@pytest.fixture(scope="module")
def graph() -> bytes:
    return convert_window_graph(NETWORK, load_weights(SHIPPED / "weights.npz"))


def test_keras_and_litert_agree(graph: bytes, tmp_path: Path) -> None:
    (tmp_path / "window.tflite").write_bytes(graph)
    weights = load_weights(SHIPPED / "weights.npz")
    deployed = deployed_model(NETWORK, weights)
    simulated = FoldedModel(NETWORK, weights, simulated=True)
    model = TfliteModel(tmp_path / "window.tflite", reference_kernels=True)
    for window in windows():
        steps = model.run(window[None, :, None, :]).astype(int).item()
        keras_p = np.asarray(deployed(window[None, :, None, :].astype(np.float32) + 128)).item()
        logit = np.asarray(simulated(normalised(window[None]))).item()
        # The integer graph also rounds biases, and ties differently: up to two of the logit's steps of 1/16, which in
        # the middle of the logistic function are 4 of 256 each.
        assert steps + 128 == pytest.approx(256 * keras_p, abs=8)
        assert steps + 128 == pytest.approx(min(255, 256 / (1 + np.exp(-logit))), abs=8)


def test_export_writes_a_folder_that_opens_and_keeps_its_gate(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    with pytest.raises(ConfigError, match="finished run"):
        export_detector(run_dir, tmp_path / "model")
    save_weights(run_dir / "weights.npz", load_weights(SHIPPED / "weights.npz"))
    (run_dir / "config.json").write_text(json.dumps(DetectorConfig(network=NETWORK).to_dict()), encoding="utf-8")
    gate = GateConfig(window=3, enter_threshold=0.7, leave_threshold=0.2)
    folder = export_detector(run_dir, tmp_path / "model", version="1.2.3", gate=gate)
    assert StreamingDetector.from_model(folder).gate_config == gate
    export_detector(run_dir, folder)
    assert StreamingDetector.from_model(folder).gate_config == gate


def test_the_manifest_states_tensors_and_cost(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    save_weights(run_dir / "weights.npz", load_weights(SHIPPED / "weights.npz"))
    (run_dir / "config.json").write_text(json.dumps(DetectorConfig(network=NETWORK).to_dict()), encoding="utf-8")
    folder = export_detector(run_dir, tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tensors"][MODEL_FILE] == TfliteModel(folder / MODEL_FILE).tensors()
    assert len(manifest["tensors"][MODEL_FILE]["states"]) == 6
    assert manifest["cost"]["n_parameters"] == 5_601
    assert (manifest["network"]["window_s"], manifest["network"]["decision_interval_s"]) == (4.48, 0.64)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    save_weights(run_dir / "weights.npz", load_weights(SHIPPED / "weights.npz"))
    (run_dir / "config.json").write_text(json.dumps(DetectorConfig(network=NETWORK).to_dict()), encoding="utf-8")
    return run_dir


@pytest.fixture(scope="module")
def second_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run as training leaves it, with random weights."""
    run_dir, rng = tmp_path_factory.mktemp("second"), np.random.default_rng(3)
    config = SecondStageConfig(network=SecondStageNetwork(width=0.2, n_first_filters=6))
    (run_dir / "config.json").write_text(json.dumps(config.to_dict()), encoding="utf-8")
    write_arrays(run_dir / "second_stage_weights.npz", folded(build_second_stage(config.network)))
    windows = rng.integers(-128, 128, (4, 446, 40)).astype(np.int8)
    write_arrays(run_dir / "calibration.npz", {"windows": windows})
    return run_dir


GATE = GateConfig(window=3, enter_threshold=0.75, leave_threshold=0.25, consecutive_hits=3, silence_dbfs=-70.0)


def published(*options: object) -> Result:
    return CliRunner().invoke(app, ["publish", "detector", *map(str, options)])


def test_both_stages_the_gate_and_the_note_are_published_by_one_command(
    first_run: Path, second_run: Path, tmp_path: Path
) -> None:
    gate, out = tmp_path / "gate.toml", tmp_path / "model"
    table = "".join(f"{name} = {value}\n" for name, value in GATE.to_dict().items() if value is not None)
    gate.write_text(f"wanted_above = 96\n[gate]\n{table}", encoding="utf-8")
    stages = ["--second-run", second_run, "--gate", gate, "--out", out]
    refused = published("--run-dir", first_run, *stages)
    assert refused.exit_code == 2, "a run's training data are unknown without its corpus"
    assert not out.exists()
    corpus = corpus_folder(tmp_path / "corpus", seconds=1.0)
    done = published("--run-dir", first_run, "--corpus", corpus, "--second-note", "many scenes", *stages)
    assert done.exit_code == 0, done.output
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["gate"], manifest["cascade"]["wanted_above"]) == (GATE.to_dict(), 96)
    assert manifest["cascade"]["note"] == "many scenes"
    assert manifest["cascade"]["n_macs"] == count_macs((out / "second_stage.tflite").read_bytes())
    assert manifest["training"]["data"]
    assert StreamingDetector.from_model(out).second_stage is not None


def test_a_manifest_states_no_recordings_but_those_of_the_run(first_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(first_run, tmp_path / "run")
    (run / "init.json").write_text(json.dumps({"teacher": None, "music": 2, "extra music": 7}), encoding="utf-8")
    corpus = corpus_folder(tmp_path / "corpus", seconds=0.2)
    refused = published("--run-dir", run, "--corpus", corpus, "--out", tmp_path / "model")
    assert isinstance(refused.exception, ConfigError)
    assert "this run was given extra music: 7, not 0" in str(refused.exception)
    assert not (tmp_path / "model").exists()


def test_a_gate_of_two_stages_is_refused_for_one(first_run: Path, second_run: Path, tmp_path: Path) -> None:
    gate, out = tmp_path / "cross-validation.json", tmp_path / "model"
    gate.write_text(json.dumps({"gate": GATE.to_dict(), "wanted_above": 96}), encoding="utf-8")
    model = export_detector(first_run, tmp_path / "first", second_run=second_run)
    refused = published("--run-dir", model, "--gate", gate, "--out", out)
    assert isinstance(refused.exception, ConfigError)
    assert f"{gate}: chosen for a detector of two stages" in str(refused.exception)
    assert f"found one stage, that of {model}" in str(refused.exception)
    assert not out.exists()


def test_each_stage_of_a_published_detector_can_be_kept(first_run: Path, second_run: Path, tmp_path: Path) -> None:
    out = export_detector(
        first_run,
        tmp_path / "model",
        gate=GATE,
        training={"data": {"music": 3}},
        second_run=second_run,
        wanted_above=32,
        second_note="many scenes",
    )
    before = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    export_detector(out, out, second_run=out)
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8")) == before
    kept = export_detector(out, tmp_path / "other", version="2.0.0", second_run=out, wanted_above=33)
    for name in ("detector.tflite", "second_stage.tflite"):
        graph = (kept / name).read_bytes()
        assert b"2.0.0" in graph
        assert (out / name).read_bytes() == graph.replace(b"2.0.0", b"1.0.0"), "only what it is called"
    assert json.loads((kept / "manifest.json").read_text(encoding="utf-8"))["training"] == before["training"]
    again = export_detector(out, out, second_run=second_run)
    cascade = json.loads((again / "manifest.json").read_text(encoding="utf-8"))["cascade"]
    assert "note" not in cascade, "it was said of another training"
    assert cascade["wanted_above"] == 32
    with pytest.raises(ConfigError, match="its gate was chosen for two stages"):
        export_detector(out, out)
    assert list(out.glob("second_stage*")), "nothing is lost"
    alone = export_detector(out, out, gate=GATE)
    assert StreamingDetector.from_model(alone).second_stage is None
    assert not list(alone.glob("second_stage*"))
    with pytest.raises(MissingPathError, match="found one stage"):
        export_detector(first_run, tmp_path / "none", second_run=alone)


@pytest.mark.parametrize("wanted_above", [-1, 257])
def test_a_threshold_out_of_range_is_refused(
    first_run: Path, second_run: Path, tmp_path: Path, wanted_above: int
) -> None:
    with pytest.raises(ConfigError, match="a number from 0 to 256"):
        export_detector(first_run, tmp_path / "model", second_run=second_run, wanted_above=wanted_above)
    assert not (tmp_path / "model").exists()


def test_a_threshold_without_a_second_stage_is_refused(first_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a second stage"):
        export_detector(first_run, tmp_path / "model", wanted_above=64)
