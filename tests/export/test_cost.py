from pathlib import Path

import pytest

from export.cost import arena_bytes, detector_cost
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError
from tests.detector.networks import SMALL, random_weights


@pytest.fixture
def stream_graph(tmp_path: Path) -> Path:
    path = tmp_path / "stream.tflite"
    path.write_bytes(streaming_graph(SMALL, random_weights(), description="nowplaying test 2.0.0"))
    return path


def test_multiply_accumulates_are_those_of_the_layers(stream_graph: Path) -> None:
    frames, channels, macs = 64, 40, 0
    for _ in range(6):
        frames //= 2
        macs += frames * channels * (4 + 24)
        channels = 24
    macs += 5 * 24 * 8 + 8
    cost = detector_cost(stream_graph)
    assert cost["macs_per_step"] == macs
    assert cost["macs_per_second"] == round(macs / 0.64)


def test_bytes_are_those_of_the_weights_and_states(stream_graph: Path) -> None:
    cost, weights = detector_cost(stream_graph), random_weights()
    assert cost["n_parameters"] == weights.n_parameters
    n_biases = 6 * 24 + 8 + 1
    # The zero biases of depthwise convolutions, one for each width, are constants too.
    assert cost["parameter_bytes"] == weights.n_parameters + 3 * n_biases + 4 * (40 + 24)
    assert cost["state_bytes"] == 2 * 40 + 5 * 2 * 24 + 4 * 24
    assert cost["model_bytes"] == stream_graph.stat().st_size


@pytest.mark.micro
def test_budget_of_the_stream_graph(stream_graph: Path) -> None:
    pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    cost = detector_cost(stream_graph)
    assert cost["model_bytes"] <= 10 * 1024
    assert cost["arena_bytes"] <= 16 * 1024
    assert cost["macs_per_second"] <= 200_000


@pytest.mark.micro
def test_nothing_of_the_measurement_reaches_stderr(stream_graph: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    arena_bytes(stream_graph.read_bytes())
    assert capfd.readouterr() == ("", "")


@pytest.mark.micro
def test_what_micro_cannot_run_is_refused() -> None:
    pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    front_end = builtin_model_dir(SHIPPED_FINGERPRINTER) / "frontend.tflite"
    with pytest.raises(CorruptArtifactError, match="Micro refused"):
        arena_bytes(front_end.read_bytes())
