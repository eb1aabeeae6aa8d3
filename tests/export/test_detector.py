import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.features import features_of
from detector.gate import GateConfig
from detector.stream import MODEL_FILE, StreamingDetector
from detector.training.config import DetectorConfig
from detector.training.model import FoldedModel, normalised
from detector.training.weights import load_weights, save_weights
from export.detector import export_detector
from nowplaying_core.artifacts import builtin_model_dir
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL
from tests.detector.sounds import noise, pcm
from tests.export.window_graph import convert_window_graph, deployed_model
from tests.synthesis import song

pytestmark = pytest.mark.train
NETWORK = SMALL
SHIPPED = builtin_model_dir("detector-v2")


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
