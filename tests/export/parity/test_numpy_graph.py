"""NumPy's form of the operations against the interpreter's, on the shipped graphs and by hand."""

from pathlib import Path

import numpy as np
import pytest

from detector.features import features_of
from detector.training.weights import load_weights
from export.operators import open_graph
from export.parity.numpy_graph import constant, is_weighted, run_graph
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL
from tests.detector.sounds import noise, pcm


def test_the_encoder_in_numpy_is_the_encoder(songs) -> None:
    """Convolutions with and without padding, depthwise ones with a multiplier, shapes turned around."""
    shipped = Fingerprinter.from_model()
    path = shipped.folder.file("encoder.tflite")
    images = np.concatenate([shipped.front_end(one[None, : shipped.window_samples]) for one in songs[:3]])
    graph = path.read_bytes()
    outputs = run_graph(graph, images)[int(open_graph(graph)[1].outputs[0])]
    for image, output in zip(images, outputs, strict=True):
        unit = output / np.linalg.norm(output)
        assert unit @ shipped.encode(image[None])[0] > 0.998
    other = outputs[0] / np.linalg.norm(outputs[0])
    assert other @ shipped.encode(images[1:2])[0] < 0.9


@pytest.mark.train
def test_the_detector_in_numpy_is_the_detector(songs, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    from tests.export.window_graph import convert_window_graph

    graph = convert_window_graph(SMALL, load_weights(builtin_model_dir(SHIPPED_DETECTOR) / "weights.npz"))
    (tmp_path / "window.tflite").write_bytes(graph)
    model = TfliteModel(tmp_path / "window.tflite", reference_kernels=True)
    frames = features_of(pcm(np.concatenate([noise(1, 9.0, 0.05), songs[0]])))
    windows = np.stack([frames[start : start + 446] for start in range(300, 1500, 200)])[:, :, None, :]
    outputs = run_graph(graph, windows.astype(float) + 128)[int(open_graph(graph)[1].outputs[0])]
    expected = [(model.run(window[None]).item() + 128) / 256 for window in windows]
    assert outputs.ravel() == pytest.approx(expected, abs=0.05)
    assert np.ptp(expected) > 0.3


@pytest.mark.train
def test_an_average_and_a_layer_on_an_image_are_those_of_the_interpreter(tmp_path: Path, rng) -> None:
    keras = pytest.importorskip("keras", reason="needs the train extra")
    from export.tflite import to_float

    image = keras.Input((9, 6, 2))
    averaged = keras.layers.AveragePooling2D((3, 2), strides=(2, 1))(image)
    model = keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(averaged)))
    graph = to_float(model)
    (tmp_path / "graph.tflite").write_bytes(graph)
    values = rng.normal(size=(4, 9, 6, 2)).astype(np.float32)
    found = run_graph(graph, values)[int(open_graph(graph)[1].outputs[0])]
    runtime = TfliteModel(tmp_path / "graph.tflite")
    assert np.allclose(found, np.concatenate([runtime.run(value[None]) for value in values]), atol=1e-5)


def test_constants_come_back_in_real_values_channel_by_channel() -> None:
    encoder = builtin_model_dir(SHIPPED_FINGERPRINTER) / "encoder.tflite"
    model, subgraph = open_graph(encoder.read_bytes())
    operator = next(one for one in subgraph.operators if is_weighted(model, one))
    tensor = subgraph.tensors[operator.inputs[1]]
    kernel = constant(model, tensor)
    scale = np.asarray(tensor.quantization.scale)
    assert len(scale) == kernel.shape[0] > 1
    steps = kernel / scale[:, None, None, None]
    assert np.allclose(steps, np.rint(steps))
    assert np.abs(np.rint(steps)).max() == 127


def test_an_operation_without_a_form_is_named() -> None:
    front_end = builtin_model_dir(SHIPPED_FINGERPRINTER) / "frontend.tflite"
    with pytest.raises(ConfigError, match="no NumPy form of SQUARE"):
        run_graph(front_end.read_bytes(), np.zeros((1, 32768)))
