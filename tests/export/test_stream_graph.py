"""The graph with states against the graph of whole windows, which another program (the TFLite converter) writes."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import features_of
from detector.network import StreamingNetwork
from detector.training.config import NetworkConfig
from detector.training.weights import load_weights
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights
from tests.detector.sounds import noise, pcm
from tests.export.window_graph import convert_window_graph, window_outputs
from tests.synthesis import song

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Paths of one network's two forms."""
    folder, weights = tmp_path_factory.mktemp("graphs"), random_weights()
    (folder / "window.tflite").write_bytes(convert_window_graph(SMALL, weights))
    (folder / "stream.tflite").write_bytes(streaming_graph(SMALL, weights, description="nowplaying test 1.0.0"))
    return folder / "window.tflite", folder / "stream.tflite"


@cache
def frames_of_ten_minutes() -> np.ndarray:
    """Features of songs, noise and silence, then random and extreme ones: 65,000 frames."""
    rng = np.random.default_rng(2)
    features = [features_of(pcm(np.concatenate([noise(s, 4.0, 0.1), song(s, 20.0)]))) for s in range(4)]
    loudness = np.repeat(rng.integers(-128, 127, 550), 100)[:, None]
    random = np.clip(loudness + rng.normal(0, 30, (55_000, 40)), -128, 127).astype(np.int8)
    return np.concatenate([*features, np.full((500, 40), -128, np.int8), random, np.full((500, 40), 127, np.int8)])


def test_ten_minutes_are_equal_to_the_last_bit(graphs: tuple[Path, Path]) -> None:
    window, stream = (TfliteModel(path, reference_kernels=True) for path in graphs)
    frames = frames_of_ten_minutes()
    assert len(frames) * 0.01 >= 600
    expected = window_outputs(window, frames)
    assert StreamingNetwork(stream).process(frames) == expected
    assert len(set(expected)) > 50, "the stretch must move the network"


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 900), max_size=6))
def test_outputs_do_not_depend_on_how_frames_come(graphs: tuple[Path, Path], cuts: list[int]) -> None:
    frames = frames_of_ten_minutes()[:900]
    network = StreamingNetwork(TfliteModel(graphs[1], reference_kernels=True))
    whole = network.process(frames)
    network.reset()
    assert [one for part in np.split(frames, sorted(cuts)) for one in network.process(part)] == whole
    assert [n_heard for n_heard, _ in whole] == list(range(446, 901, 64))


def test_a_state_that_is_not_handed_on_is_noticed(graphs: tuple[Path, Path]) -> None:
    """What keeps the parity test honest: each state matters."""
    frames = frames_of_ten_minutes()[:1_000]
    for number in range(6):
        network = StreamingNetwork(TfliteModel(graphs[1], reference_kernels=True))
        expected = network.process(frames)
        network.reset()
        found = []
        for start in range(0, 1_000, 32):
            found += network.process(frames[start : start + 32])
            network._states[number][:] = -128
        assert found != expected


def test_the_shipped_graph_is_what_its_weights_give() -> None:
    folder = builtin_model_dir(SHIPPED_DETECTOR)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    description = f"nowplaying {manifest['name']} {manifest['version']}"
    weights = load_weights(folder / "weights.npz")
    assert streaming_graph(SMALL, weights, description=description) == (folder / "detector.tflite").read_bytes()


def test_the_shipped_weights_as_windows_give_the_same_outputs(tmp_path: Path) -> None:
    folder = builtin_model_dir(SHIPPED_DETECTOR)
    (tmp_path / "window.tflite").write_bytes(convert_window_graph(SMALL, load_weights(folder / "weights.npz")))
    frames = features_of(pcm(np.concatenate([noise(1, 4.0), song(3, 30.0), noise(2, 10.0, 0.3)])))
    expected = window_outputs(TfliteModel(tmp_path / "window.tflite", reference_kernels=True), frames)
    stream = StreamingNetwork(TfliteModel(folder / "detector.tflite", reference_kernels=True)).process(frames)
    assert stream == expected
    assert len({output for _, output in stream}) > 5


def test_the_same_weights_give_the_same_bytes_within_10_kb(graphs: tuple[Path, Path]) -> None:
    again = streaming_graph(SMALL, random_weights(), description="nowplaying test 1.0.0")
    assert again == graphs[1].read_bytes()
    assert len(again) <= 10 * 1024


def test_another_number_of_layers_is_refused(tmp_path: Path) -> None:
    network = NetworkConfig(n_filters=24, n_last_filters=24, n_layers=5)
    (tmp_path / "five.tflite").write_bytes(streaming_graph(network, random_weights(network)))
    with pytest.raises(ManifestMismatchError, match="64 new frames"):
        StreamingNetwork(TfliteModel(tmp_path / "five.tflite"))


def test_forms_agree_on_the_default_delegate_too(graphs: tuple[Path, Path]) -> None:
    """It rounds ties differently from the reference kernels, and in both forms alike."""
    frames = frames_of_ten_minutes()[-20_000:]
    expected = window_outputs(TfliteModel(graphs[0]), frames)
    assert StreamingNetwork(TfliteModel(graphs[1])).process(frames) == expected


def test_a_graph_of_whole_windows_is_refused(graphs: tuple[Path, Path]) -> None:
    with pytest.raises(ManifestMismatchError, match="as many states in as out"):
        StreamingNetwork(TfliteModel(graphs[0]))
