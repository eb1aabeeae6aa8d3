"""The detector's second stage: Keras, NumPy, LiteRT in float and in int8, TFLM and the DSP's sources on one sound."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.features import N_CHANNELS, features_of
from detector.gate import STEPS
from detector.network import DECISION_FRAMES, WINDOW_FRAMES, StreamingNetwork
from detector.second_stage import SECOND_STAGE_FILE, SecondStage
from detector.stream import MODEL_FILE
from export.micro import MicroModel
from export.operators import open_graph
from export.parity.c_sources import array, number
from export.parity.layers import compare_graphs
from export.parity.numpy_graph import run_graph
from export.parity.report import ParityReport
from export.parity.sounds import Sounds, spread
from nowplaying_core.audio import to_int16
from nowplaying_core.errors import MissingExtraError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["verify_second_stage", "verify_second_stage_sources"]

_SNR_DB: Final = 5.0
_FLOAT_WINDOWS: Final = 200
_LAYER_WINDOWS: Final = 16
_MICRO_WINDOWS: Final = 400
Int8 = NDArray[np.int8]


def verify_second_stage(
    model: ModelFolder, evaluated: ModelFolder | None, sounds: Sounds, report: ParityReport
) -> None:
    """Enter the figures of a detector's second stage; it is run on every window, whatever the first stage finds.

    Parameters
    ----------
    model : ModelFolder
        A detector of two stages.
    evaluated : ModelFolder or None
        With its float weights.
    sounds : Sounds
    report : ParityReport
    """
    path = model.file(SECOND_STAGE_FILE)
    windows, is_music = _windows(sounds)
    int8 = _run(TfliteModel(path, reference_kernels=True), windows)
    few = spread(len(windows), _MICRO_WINDOWS)
    try:
        difference = np.abs(int8[few] - _run(MicroModel(path), windows[few])).max()
        report.add("second stage, LiteRT to TFLM", difference, f"{len(few)} windows")
    except MissingExtraError as error:
        report.left_out["second stage, LiteRT to TFLM"] = str(error)
    if evaluated is None:
        return  # the first stage has said so
    try:
        from export.second_stage import float_second_stage
        from export.tflite import to_float
    except ImportError as error:
        report.left_out["second stage in float"] = str(MissingExtraError("train", "the trained form", error))
        return
    trained = float_second_stage(evaluated)
    values = (windows[..., None].astype(np.float32) + np.float32(128)) / np.float32(128)
    by_keras = np.concatenate(
        [np.asarray(trained(values[start : start + 50])).reshape(-1) for start in range(0, len(values), 50)]
    )
    report.add_probabilities("second stage, ", int8 / STEPS, by_keras, is_music, f"{len(windows)} windows")
    few, graph = spread(len(windows), _FLOAT_WINDOWS), to_float(trained)
    with tempfile.TemporaryDirectory() as scratch:
        float_path = Path(scratch) / SECOND_STAGE_FILE
        float_path.write_bytes(graph)
        runtime = TfliteModel(float_path)
        by_litert = np.array([runtime.run(value[None]).item() for value in values[few]])
    report.add("second stage, Keras to LiteRT in float", np.abs(by_keras[few] - by_litert).max(), f"{len(few)} windows")
    few = spread(len(windows), _LAYER_WINDOWS)
    tensors = run_graph(graph, values[few])
    by_numpy = tensors[int(open_graph(graph)[1].outputs[0])].reshape(-1)
    report.add("second stage, NumPy to Keras", np.abs(by_numpy - by_keras[few]).max(), f"{len(few)} windows")
    report.add_layers("second stage", compare_graphs(path, values[few], graph, tensors))


def verify_second_stage_sources(
    folder: Path, detector: ModelFolder | None, sounds: Sounds, report: ParityReport
) -> None:
    """Enter the figures of a second stage's C sources: their golden vectors, and their graph against the phone's.

    Parameters
    ----------
    folder : Path
    detector : ModelFolder or None
        Of the phone.
    sounds : Sounds
    report : ParityReport
    """
    frames = array(folder / "detector_golden.c", "kDetectorGoldenFrames").astype(np.int8).reshape(-1, N_CHANNELS)
    golden = folder / "detector_second_stage_golden.c"
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / name for name in (MODEL_FILE, SECOND_STAGE_FILE)]
        for path, source, name in zip(
            paths,
            ("detector_model.c", "detector_second_stage_model.c"),
            ("kDetectorModel", "kDetectorSecondStageModel"),
            strict=True,
        ):
            path.write_bytes(array(folder / source, name).astype(np.uint8).tobytes())
        first, second = (TfliteModel(path, reference_kernels=True) for path in paths)
        outputs = StreamingNetwork(first).process(frames)
        wanted_above = number(folder / "detector_second_stage.h", "DETECTOR_WANTED_ABOVE")
        for figure, name, wanted in (
            ("golden vector of the second stage", "kDetectorGoldenSecondStage", 0),
            ("golden vector of the cascade", "kDetectorGoldenCascade", wanted_above),
        ):
            expected = array(golden, name) + 128
            found = [output for _, output in SecondStage(second, wanted).process(frames, outputs)]
            same = len(found) == len(expected)
            report.add(
                figure, np.abs(np.subtract(found, expected)).max() if same else float("inf"), f"{len(found)} outputs"
            )
        if detector is None:
            return  # the first stage has said so
        if "cascade" not in detector.manifest:
            report.add("phone to DSP, second stage", float("inf"), "the phone's detector has one stage")
            return
        report.add(
            "phone to DSP, threshold", abs(wanted_above - detector.manifest["cascade"]["wanted_above"]), "wanted_above"
        )
        windows = _windows(sounds)[0]
        few = spread(len(windows), _FLOAT_WINDOWS)
        phone = _run(TfliteModel(detector.file(SECOND_STAGE_FILE), reference_kernels=True), windows[few])
        report.add(
            "phone to DSP, second stage", np.abs(phone - _run(second, windows[few])).max(), f"{len(few)} outputs"
        )


def _windows(sounds: Sounds) -> tuple[Int8, NDArray[np.bool_]]:
    """Return every window of the music in noise and of the other sounds, and which are music."""
    music = [*sounds.music, *sounds.in_noise(_SNR_DB)]
    parts = [_cut(features_of(to_int16(sound))) for sound in (*music, *sounds.other)]
    is_music = np.repeat(np.arange(len(parts)) < len(music), [len(part) for part in parts])
    return np.concatenate(parts), is_music


def _cut(frames: Int8) -> Int8:
    starts = range(0, len(frames) - WINDOW_FRAMES + 1, DECISION_FRAMES)
    return np.stack([frames[start : start + WINDOW_FRAMES] for start in starts])


def _run(graph: TfliteModel, windows: Int8) -> NDArray[np.int64]:
    """Return outputs in [0, 255]."""
    return np.array([int(graph.run(window[None, ..., None]).item()) + 128 for window in windows], dtype=np.int64)
