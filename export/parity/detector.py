"""The detector: NumPy, Keras, LiteRT in float, LiteRT in int8, TFLM and the DSP's sources on the same sound."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.features import INPUT_ZERO_POINT, N_CHANNELS, features_of
from detector.network import StreamingNetwork
from detector.stream import MODEL_FILE, StreamingDetector
from detector.training.config import NetworkConfig
from detector.training.reference import float_layers, float_probabilities
from detector.training.weights import FoldedWeights, load_weights
from export.cost import arena_bytes
from export.firmware import golden_sound
from export.micro import MicroModel
from export.operators import list_operators
from export.parity.c_sources import array, number, operators
from export.parity.layers import FloatLayer, LayerError, compare_layers, weighted_layers
from export.parity.report import ParityReport
from export.parity.second_stage import verify_second_stage_sources
from export.parity.sounds import Sounds, spread
from export.parity.subject import WEIGHTS
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import CorruptArtifactError, MissingExtraError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["verify_detector", "verify_dsp"]

_SNR_DB: Final = 5.0
_LAYER_WINDOWS: Final = 40
_KERAS_WINDOWS: Final = 200
Outputs = Sequence[tuple[int, int]]


def verify_detector(model: ModelFolder, evaluated: ModelFolder | None, sounds: Sounds, report: ParityReport) -> None:
    """Enter the figures of a detector.

    Parameters
    ----------
    model : ModelFolder
    evaluated : ModelFolder or None
        With its float weights.
    sounds : Sounds
    report : ParityReport
    """
    path = model.file(MODEL_FILE)
    music = [*sounds.music, *sounds.in_noise(_SNR_DB)]
    frames = [features_of(to_int16(part)) for part in (*music, *sounds.other)]
    outputs = _run(TfliteModel(path, reference_kernels=True), frames)
    minutes = f"{sum(map(len, frames)) / 6000:.0f} min of {len(frames)} sounds, {sum(map(len, outputs))} outputs"
    if (by_micro := _by_micro("LiteRT to TFLM", path, frames, report)) is not None:
        report.add("LiteRT to TFLM", _difference(outputs, by_micro), minutes)
    if evaluated is None:
        report.left_out["detector in float"] = f"the float weights of {model.manifest['name']} are not here"
        return
    weights, shape = load_weights(evaluated.path / WEIGHTS["detector"]), _network_of(evaluated)
    pairs = zip(frames, outputs, strict=True)
    windows = np.concatenate([_windows(part, found, shape.n_frames) for part, found in pairs])
    is_music = np.repeat(np.arange(len(frames)) < len(music), [len(found) for found in outputs])
    int8 = np.array([output for found in outputs for _, output in found]) / 256
    real = float_probabilities(shape, weights, windows)
    report.add_probabilities("", int8, real, is_music, minutes)
    report.add_layers("detector", _layers(path, frames, weights, model))
    _compare_keras(weights, evaluated, windows, real, report)


def verify_dsp(folder: Path, detector: ModelFolder | None, sounds: Sounds, report: ParityReport) -> None:
    """Enter the figures of C sources: their golden vector, and their graph against the phone's.

    Parameters
    ----------
    folder : Path
    detector : ModelFolder or None
        Of the phone.
    sounds : Sounds
    report : ParityReport
    """
    graph = array(folder / "detector_model.c", "kDetectorModel").astype(np.uint8).tobytes()
    source = folder / "detector_golden.c"
    frames = array(source, "kDetectorGoldenFrames").astype(np.int8).reshape(-1, N_CHANNELS)
    golden = array(source, "kDetectorGoldenOutputs") + 128
    graphs, second = {"detector": graph}, folder / "detector_second_stage_model.c"
    if second.is_file():
        graphs["detector_second_stage"] = array(second, "kDetectorSecondStageModel").astype(np.uint8).tobytes()
        verify_second_stage_sources(folder, detector, sounds, report)
    elif detector is not None and "cascade" in detector.manifest:
        report.add("phone to DSP, second stage", float("inf"), "the sources have one stage")
    _check_headers(folder, graphs, report)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / MODEL_FILE
        path.write_bytes(graph)
        expected = [[(0, int(output)) for output in golden]]
        detail = f"{len(golden)} outputs"
        found = _run(TfliteModel(path, reference_kernels=True), [frames])
        report.add("golden vector in LiteRT", _difference(expected, found), detail)
        if (by_micro := _by_micro("golden vector in TFLM", path, [frames], report)) is not None:
            report.add("golden vector in TFLM", _difference(expected, by_micro), detail)
        if detector is None:
            report.left_out["phone to DSP"] = "there is no phone's bundle beside these sources"
            return
        features = StreamingDetector.from_model(detector).features(golden_sound())
        same = features.shape == frames.shape
        report.add(
            "golden frames",
            np.abs(np.subtract(features, frames, dtype=np.int16)).max() if same else float("inf"),
            f"{len(frames)} frames",
        )
        parts = [features_of(to_int16(part)) for part in sounds.in_noise(_SNR_DB)]
        phone, dsp = (
            _run(TfliteModel(one, reference_kernels=True), parts) for one in (detector.file(MODEL_FILE), path)
        )
        report.add("phone to DSP", _difference(phone, dsp), f"{sum(map(len, phone))} outputs")


def _check_headers(folder: Path, graphs: Mapping[str, bytes], report: ParityReport) -> None:
    """Enter whether the headers of models ask for the operations and the arena that their graphs take."""
    n_others, arenas, beyond = 0, [], 0
    for name, graph in graphs.items():
        path = folder / f"{name}_model.h"
        n_others += len(operators(path) ^ set(list_operators(graph, where=str(path))))
    report.add("operations of headers", n_others, ", ".join(graphs))
    try:
        for name, graph in graphs.items():
            stated = number(folder / f"{name}_model.h", f"{name.upper()}_ARENA_BYTES")
            arenas.append(arena_bytes(graph))
            beyond = max(beyond, arenas[-1] - stated)
    except MissingExtraError as error:
        report.left_out["arena beyond headers'"] = str(error)
        return
    report.add("arena beyond headers'", beyond, ", ".join(f"{one:,} bytes" for one in arenas))


def _network_of(model: ModelFolder) -> NetworkConfig:
    """Return the shape of a detector's network, as its manifest has it.

    Raises
    ------
    CorruptArtifactError
        When it is not there.
    """
    fields = NetworkConfig.__dataclass_fields__
    try:
        return NetworkConfig(**{name: model.manifest["network"][name] for name in fields})
    except (KeyError, TypeError) as error:
        message = f"{model.path / 'manifest.json'}: expected the network's shape ({error!r}); export the model again"
        raise CorruptArtifactError(message) from error


def _windows(frames: NDArray[np.int8], outputs: Sequence[tuple[int, int]], length: int) -> NDArray[np.int8]:
    """Return the window behind each output, shape (n, length, channels)."""
    return np.stack([frames[n_frames - length : n_frames] for n_frames, _ in outputs])


def _difference(one: Sequence[Outputs], two: Sequence[Outputs]) -> float:
    """Return the largest difference of outputs in 256ths; infinite where their numbers differ."""
    if [len(part) for part in one] != [len(part) for part in two]:
        return float("inf")
    first, second = ([output for part in side for _, output in part] for side in (one, two))
    return float(np.abs(np.subtract(first, second)).max(initial=0))


def _run(graph: TfliteModel, frames: Sequence[NDArray[np.int8]]) -> list[Outputs]:
    """Return a graph's outputs for each sound, from a reset."""
    network = StreamingNetwork(graph)
    outputs: list[Outputs] = []
    for part in frames:
        network.reset()
        outputs.append(network.process(part))
    return outputs


def _by_micro(name: str, path: Path, frames: Sequence[NDArray[np.int8]], report: ParityReport) -> list[Outputs] | None:
    """Return what TensorFlow Lite Micro computes, or None, entered as left out, where it is not installed."""
    try:
        return _run(MicroModel(path), frames)
    except MissingExtraError as error:
        report.left_out[name] = str(error)
        return None


def _compare_keras(
    weights: FoldedWeights,
    evaluated: ModelFolder,
    windows: NDArray[np.int8],
    real: NDArray[np.float64],
    report: ParityReport,
) -> None:
    try:
        from export.parity.keras_detector import keras_probabilities, litert_probabilities
    except ImportError as error:
        report.left_out["detector in Keras"] = str(MissingExtraError("train", "the trained form", error))
        return
    chosen = spread(len(windows), _KERAS_WINDOWS)
    shape, detail = _network_of(evaluated), f"{len(chosen)} windows"
    by_keras = keras_probabilities(shape, weights, windows[chosen])
    by_litert = litert_probabilities(shape, weights, windows[chosen])
    report.add("detector, NumPy to Keras", np.abs(by_keras - real[chosen]).max(), detail)
    report.add("detector, NumPy to LiteRT in float", np.abs(by_litert - real[chosen]).max(), detail)


def _layers(
    path: Path, frames: Sequence[NDArray[np.int8]], weights: FoldedWeights, model: ModelFolder
) -> list[LayerError]:
    """Compare layers at a few windows of each sound.

    A graph with states computes the newest outputs of a layer only: these are the last ones of the whole window.
    """
    layers, shape = weighted_layers(path.read_bytes()), _network_of(model)
    graph = TfliteModel(path, reference_kernels=True, keep_tensors=True)
    network = StreamingNetwork(graph)
    layer_outputs: list[list[NDArray[Any]]] = [[] for _ in layers]
    windows: list[NDArray[np.int8]] = []
    n_each = -(-_LAYER_WINDOWS // len(frames))
    for part in frames:
        network.reset()
        n_before = len(windows)
        for start in range(0, min(len(part), network.window_frames + 64 * 12), 32):
            outputs = network.process(part[start : start + 32])
            if not outputs or len(windows) - n_before == n_each:
                continue
            window = _windows(part, outputs, shape.n_frames)[0]
            if (window == INPUT_ZERO_POINT).all():  # the network does not compute silence again
                continue
            windows.append(window)
            for kept, layer in zip(layer_outputs, layers, strict=True):
                kept.append(graph.tensor(layer.output))
    inputs = np.stack(windows).astype(np.float64) - INPUT_ZERO_POINT
    real = float_layers(shape, weights, inputs)
    expected = []
    for (name, kernel, bias), layer in zip(_parameters(weights), layers, strict=True):
        values = real[name].reshape(len(inputs), -1, layer.shape[-1])
        expected.append(FloatLayer(name, kernel, bias, values[:, -layer.shape[1] :]))
    return compare_layers(layers, [np.concatenate(parts) for parts in layer_outputs], expected)


def _parameters(weights: FoldedWeights) -> list[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Return names, kernels and biases in the order and layout of the graph."""
    parameters = []
    for layer, (depthwise, pointwise) in enumerate(zip(weights.depthwise, weights.pointwise, strict=True)):
        none = np.zeros(depthwise.shape[1], np.float32)
        parameters += [(f"depthwise.{layer}", depthwise[None, :, None, :], none)]
        parameters += [(f"pointwise.{layer}", pointwise.T[:, None, None, :], weights.bias[layer])]
    n_hidden = weights.hidden.shape[1]
    hidden = weights.hidden.reshape(-1, weights.pointwise[-1].shape[1], n_hidden).transpose(2, 0, 1)
    parameters += [("hidden", hidden[:, :, None, :], weights.hidden_bias)]
    return [*parameters, ("logit", weights.logit.T[:, None, None, :], weights.logit_bias)]
