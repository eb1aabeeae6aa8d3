"""Golden vectors of graphs: every shipped one and random operators, computed by LiteRT's reference kernels."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.features import features_of
from detector.gate import STEPS
from detector.stream import StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir, write_json
from nowplaying_core.audio import load, to_int16
from nowplaying_core.runtime import TfliteModel
from ondevice_db.format.arrays import save_array
from simulator.scenes.recordings import demo_recordings
from tests.android.operator_graphs import operator_graphs

__all__ = ["write_graph_goldens"]

_WINDOWS: Final = 100
_RANDOM: Final = 100
_SEED: Final = 41
_OF_EACH_OPERATOR: Final = 40
_LOG_MEL_TOLERANCE: Final = 1e-5


def write_graph_goldens(folder: Path) -> None:
    """Write every shipped graph and 360 of one operator each, with inputs, outputs and the tolerance.

    Parameters
    ----------
    folder : Path
        For ``graphs.json``, the folder ``graphs``, and ``detectors.json``: outputs over ten minutes of recordings.
    """
    place = folder / "graphs"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    recordings = [load(recording.path) for recording in demo_recordings().values()]
    rng = np.random.default_rng(_SEED)
    listed: list[dict[str, Any]] = []  # the shipped ones first
    for model in _shipped():
        if (model / "frontend.tflite").is_file():
            listed += _fingerprinter(place, model, recordings, rng)
        for name in ("detector.tflite", "second_stage.tflite"):
            if (model / name).is_file():
                listed.append(_detector(place, model / name, recordings, rng))
    for graph in listed:
        graph["is_shipped"] = True
    for one in operator_graphs(_SEED, _OF_EACH_OPERATOR):
        (place / f"{one.name}.tflite").write_bytes(one.graph)
        listed.append(_record(place, one.name, one.inputs))
    write_json(folder / "graphs.json", {"graphs": listed})
    _write_detectors(folder, recordings)


def _shipped() -> list[Path]:
    root = builtin_model_dir(SHIPPED_DETECTOR).parent
    return sorted(path.parent for path in root.glob("*/manifest.json"))


def _windows(recordings: Sequence[NDArray[Any]], n: int, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Return stretches of recordings, one after the other: as they are, in noise, and in more noise."""
    found = []
    for number in range(_WINDOWS):
        whole = recordings[number % len(recordings)]
        start = int(rng.integers(0, len(whole) - n))
        level = (0.0, 0.3, 1.0)[number % 3] * float(np.std(whole))
        found.append(whole[start : start + n] + (level * rng.standard_normal(n)).astype(np.float32))
    return found


def _fingerprinter(
    place: Path, model: Path, recordings: Sequence[NDArray[np.float32]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    names = [f"{model.name}-{graph}" for graph in ("frontend", "encoder")]
    for name, graph in zip(names, ("frontend", "encoder"), strict=True):
        shutil.copy(model / f"{graph}.tflite", place / f"{name}.tflite")
    front_end = TfliteModel(model / "frontend.tflite", reference_kernels=True)
    encoder = TfliteModel(model / "encoder.tflite", reference_kernels=True)
    windows = [one[None] for one in _windows(recordings, front_end.input.shape[1], rng)]
    windows += [np.zeros_like(windows[0]), np.sign(windows[0])]
    images = [encoder.input.quantize(front_end.run(window)) for window in windows]
    images += [rng.integers(-128, 128, encoder.input.shape).astype(np.int8) for _ in range(_RANDOM)]
    return [
        _record(place, names[0], [[window] for window in windows], _LOG_MEL_TOLERANCE),
        _record(place, names[1], [[image] for image in images]),
    ]


def _detector(
    place: Path, path: Path, recordings: Sequence[NDArray[np.float32]], rng: np.random.Generator
) -> dict[str, Any]:
    name = f"{path.parent.name}-{path.stem}"
    shutil.copy(path, place / f"{name}.tflite")
    graph = TfliteModel(path)
    inputs = [[rng.integers(-128, 128, one.shape).astype(np.int8) for one in graph.inputs] for _ in range(_RANDOM)]
    if len(graph.inputs) == 1:
        frames = np.concatenate([features_of(to_int16(whole)) for whole in recordings])
        n = graph.input.shape[1]
        starts = rng.integers(0, len(frames) - n, _WINDOWS)
        inputs += [[frames[start : start + n].reshape(graph.input.shape)] for start in starts]
    return _record(place, name, inputs)


def _record(place: Path, name: str, inputs: Iterable[Sequence[NDArray[Any]]], tolerance: float = 0.0) -> dict[str, Any]:
    """Write inputs and outputs of a graph, each run's bytes in a row, and return what describes them."""
    model = TfliteModel(place / f"{name}.tflite", reference_kernels=True)
    given = list(inputs)
    outputs = [model.run_all(one) for one in given]
    for kind, runs in (("inputs", given), ("outputs", outputs)):
        rows = [b"".join(part.tobytes() for part in run) for run in runs]
        save_array(place / f"{name}-{kind}.npy", np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1))
    return {
        "name": name,
        "input_bytes": [_bytes(one) for one in given[0]],
        "output_bytes": [_bytes(one) for one in outputs[0]],
        "tolerance": tolerance,
    }


def _bytes(values: NDArray[Any]) -> int:
    return int(values.size * values.itemsize)


def _write_detectors(folder: Path, recordings: Sequence[NDArray[np.float32]]) -> None:
    """Write the samples of all recordings, ten minutes, and every shipped detector's outputs over them."""
    pcm = np.concatenate([to_int16(whole) for whole in recordings])
    save_array(folder / "detectors-pcm.npy", pcm)
    found = {}
    for model in _shipped():
        if not (model / "detector.tflite").is_file():
            continue
        kept = folder / "models" / model.name
        kept.mkdir(parents=True, exist_ok=True)
        for file in (model / "manifest.json", *model.glob("*.tflite")):
            shutil.copy(file, kept / file.name)
        detector = StreamingDetector.from_model(model.name, reference_kernels=True)
        decisions = detector.process_pcm(pcm)
        found[model.name] = [round(STEPS * one.probability) for one in decisions]
    write_json(folder / "detectors.json", {"outputs": found})
