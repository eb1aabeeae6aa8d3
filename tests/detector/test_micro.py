"""The same graph in the microcontroller's interpreter: equal outputs, bit for bit."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra: pip install -e '.[micro]'"
)

from detector.features import features_of
from detector.network import StreamingNetwork
from detector.stream import MODEL_FILE
from export.micro import MicroModel
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights
from tests.detector.sounds import noise, pcm
from tests.synthesis import song

pytestmark = pytest.mark.micro
SHIPPED = builtin_model_dir(SHIPPED_DETECTOR) / MODEL_FILE


def both(path: Path, frames: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the outputs of LiteRT and of the microcontroller's interpreter, each from a reset."""
    litert, micro = (
        [output for _, output in StreamingNetwork(model).process(frames)]
        for model in (TfliteModel(path, reference_kernels=True), MicroModel(path))
    )
    return litert, micro


def test_random_features() -> None:
    rng = np.random.default_rng(8)
    parts = [rng.integers(-128, top, (446, 40)) for _ in range(8) for top in (-120, -100, -60, 0, 128)]
    parts += [np.full((446, 40), value) for value in (-128, 127)]
    litert, micro = both(SHIPPED, np.concatenate(parts).astype(np.int8))
    assert litert == micro
    assert len(litert) == 286


def test_features_of_sound() -> None:
    sound = np.concatenate([noise(1, 3.0, 0.05), song(0, 12.0), noise(2, 3.0, 0.3), song(5, 8.0)])
    litert, micro = both(SHIPPED, features_of(pcm(sound)))
    assert litert == micro
    assert max(litert) - min(litert) > 100, "the stretch must hold music and no music"


def test_ten_minutes_of_a_stream_with_states(tmp_path: Path) -> None:
    path = tmp_path / "stream.tflite"
    path.write_bytes(streaming_graph(SMALL, random_weights()))
    rng = np.random.default_rng(3)
    recorded = features_of(pcm(np.concatenate([noise(1, 5.0, 0.1), song(0, 25.0), noise(2, 5.0, 0.3), song(5, 25.0)])))
    loudness = np.repeat(rng.integers(-128, 127, 550), 100)[:, None]
    drawn = np.clip(loudness + rng.normal(0, 30, (55_000, 40)), -128, 127).astype(np.int8)
    frames = np.concatenate([recorded, drawn, np.full((500, 40), -128, np.int8), np.full((500, 40), 127, np.int8)])
    assert len(frames) * 0.01 >= 600
    litert, micro = both(path, frames)
    assert litert == micro
    assert len(set(litert)) > 50


def test_ten_minutes_of_sound_in_the_shipped_network() -> None:
    part = np.concatenate([sound for seed in range(4) for sound in (noise(seed, 6.0, 0.15), song(seed, 24.0))])
    frames = features_of(pcm(np.tile(part, 5)))
    assert len(frames) * 0.01 >= 599
    litert, micro = both(SHIPPED, frames)
    assert litert == micro
    assert len(set(litert)) > 50
