"""The same graph in the microcontroller's interpreter: equal outputs, bit for bit."""

from pathlib import Path

import numpy as np
import pytest

runtime = pytest.importorskip(
    "tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra: pip install 'nowplaying[micro]'"
)

from detector.features import features_of
from detector.network import open_network
from detector.stream import MODEL_FILE
from detector.training.config import NetworkConfig
from detector.training.weights import load_weights
from export.micro import MicroModel
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import builtin_model_dir
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights
from tests.detector.sounds import noise, pcm
from tests.synthesis import song

pytestmark = pytest.mark.micro
PATH = builtin_model_dir("detector-v1") / MODEL_FILE


def outputs(windows: list[np.ndarray]) -> tuple[list[int], list[int]]:
    reference = TfliteModel(PATH, reference_kernels=True)
    micro = runtime.Interpreter.from_bytes(PATH.read_bytes())
    found: tuple[list[int], list[int]] = ([], [])
    for window in windows:
        shaped = np.ascontiguousarray(window[None, :, None, :])
        found[0].append(reference.run(shaped).astype(int).item())
        micro.set_input(shaped, 0)
        micro.invoke()
        found[1].append(micro.get_output(0).astype(int).item())
    return found


def test_random_features() -> None:
    rng = np.random.default_rng(8)
    tops = (-120, -100, -60, 0, 128)
    windows = [rng.integers(-128, tops[i % 5], (446, 40)).astype(np.int8) for i in range(40)]
    windows += [np.full((446, 40), value, dtype=np.int8) for value in (-128, 127)]
    litert, micro = outputs(windows)
    assert litert == micro


def test_heard_features() -> None:
    sound = np.concatenate([noise(1, 3.0, 0.05), song(0, 12.0), noise(2, 3.0, 0.3), song(5, 8.0)])
    frames = features_of(pcm(sound))
    litert, micro = outputs([frames[start : start + 446] for start in range(0, len(frames) - 446, 64)])
    assert litert == micro
    assert max(litert) - min(litert) > 100, "the stretch must hold music and no music"


def test_ten_minutes_of_a_stream_with_states(tmp_path: Path) -> None:
    path = tmp_path / "stream.tflite"
    path.write_bytes(streaming_graph(SMALL, random_weights()))
    rng = np.random.default_rng(3)
    heard = features_of(pcm(np.concatenate([noise(1, 5.0, 0.1), song(0, 25.0), noise(2, 5.0, 0.3), song(5, 25.0)])))
    loudness = np.repeat(rng.integers(-128, 127, 550), 100)[:, None]
    drawn = np.clip(loudness + rng.normal(0, 30, (55_000, 40)), -128, 127).astype(np.int8)
    frames = np.concatenate([heard, drawn, np.full((500, 40), -128, np.int8), np.full((500, 40), 127, np.int8)])
    assert len(frames) * 0.01 >= 600
    litert = open_network(TfliteModel(path, reference_kernels=True)).process(frames)
    assert open_network(MicroModel(path)).process(frames) == litert
    assert len({output for _, output in litert}) > 50


def test_ten_minutes_of_sound_in_the_shipped_network(tmp_path: Path) -> None:
    path = tmp_path / "stream.tflite"
    path.write_bytes(streaming_graph(NetworkConfig(), load_weights(PATH.with_name("weights.npz"))))
    part = np.concatenate([sound for seed in range(4) for sound in (noise(seed, 6.0, 0.15), song(seed, 24.0))])
    frames = features_of(pcm(np.tile(part, 5)))
    assert len(frames) * 0.01 >= 599
    litert = open_network(TfliteModel(path, reference_kernels=True)).process(frames)
    assert open_network(MicroModel(path)).process(frames) == litert
