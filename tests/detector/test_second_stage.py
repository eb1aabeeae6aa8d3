import json
import shutil
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import features_of
from detector.network import StreamingNetwork
from detector.second_stage import SecondStage
from detector.stream import StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.errors import ManifestMismatchError
from nowplaying_core.runtime import TensorSpec, TfliteModel
from tests.detector.sounds import noise, pcm
from tests.synthesis import song


def spec(*shape: int, dtype: str = "int8") -> TensorSpec:
    return TensorSpec(shape=shape, dtype=np.dtype(dtype), scale=1 / 128, zero_point=-128)


@dataclass
class LastFrame:
    """Stands for a graph: puts out the first value of a window's last frame, and notes what it was given."""

    inputs: tuple[TensorSpec, ...] = (spec(1, 446, 40, 1),)
    outputs: tuple[TensorSpec, ...] = (spec(1, 1),)
    given: list[np.ndarray] = field(default_factory=list)

    def run(self, window: np.ndarray) -> np.ndarray:
        assert window.shape == (1, 446, 40, 1)
        self.given.append(window[0, :, :, 0])
        return window[:, -1, 0]


FRAMES = np.random.default_rng(4).integers(-128, 128, (900, 40)).astype(np.int8)
OUTPUTS = [(446, 10), (510, 128), (574, 127), (638, 255), (702, 128), (766, 0), (830, 200), (894, 140)]


def test_it_runs_on_the_last_446_frames_where_the_first_stage_is_high_enough() -> None:
    model = LastFrame()
    stage = SecondStage(model, wanted_above=128)
    found = stage.process(FRAMES, OUTPUTS)
    wanted = [n for n, output in OUTPUTS if output >= 128]
    assert found == [(n, int(FRAMES[n - 1, 0]) + 128 if n in wanted else 0) for n, _ in OUTPUTS]
    assert stage.n_runs == len(wanted) == len(model.given)
    assert all(np.array_equal(window, FRAMES[n - 446 : n]) for n, window in zip(wanted, model.given, strict=True))
    stage.reset()
    assert stage.n_runs == 0
    assert stage.process(FRAMES, OUTPUTS) == found


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, len(FRAMES)), max_size=6))
def test_outputs_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    whole = SecondStage(LastFrame(), wanted_above=100).process(FRAMES, OUTPUTS)
    stage, parts, edges = SecondStage(LastFrame(), wanted_above=100), [], [0, *sorted(cuts), len(FRAMES)]
    for start, stop in pairwise(edges):
        parts += stage.process(FRAMES[start:stop], [row for row in OUTPUTS if start < row[0] <= stop])
    assert parts == whole


def test_other_tensors_and_thresholds_are_refused() -> None:
    for model in (
        LastFrame(inputs=(spec(1, 445, 40, 1),)),
        LastFrame(outputs=(spec(1, 2),)),
        LastFrame(outputs=(spec(1, 1, dtype="float32"),)),
        LastFrame(inputs=(spec(1, 446, 40, 1), spec(1, 4))),
    ):
        with pytest.raises(ManifestMismatchError, match="expected tensors"):
            SecondStage(model, wanted_above=128)
    for wanted in (-1, 257, 0.5, True, None):
        with pytest.raises(ManifestMismatchError, match="whole number from 0 to 256"):
            SecondStage(LastFrame(), wanted_above=wanted)


def test_the_shipped_cascade_is_its_two_graphs_in_turn() -> None:
    folder = builtin_model_dir(SHIPPED_DETECTOR)
    frames = features_of(pcm(np.concatenate([noise(5, 4.0), song(1, 10.0)])))
    detector = StreamingDetector.from_model(SHIPPED_DETECTOR)
    found = [round(256 * decision.probability) for decision in detector.process_features(frames)]
    first = StreamingNetwork(TfliteModel(folder / "detector.tflite")).process(frames)
    wanted_above = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["cascade"]["wanted_above"]
    second = TfliteModel(folder / "second_stage.tflite")
    windows = [frames[n - 446 : n] for n, _ in first]
    expected = [
        int(second.run(window[None, ..., None]).item()) + 128 if output >= wanted_above else 0
        for window, (_, output) in zip(windows, first, strict=True)
    ]
    assert found == expected
    assert max(found) > 200  # the song
    assert detector.second_stage is not None
    assert detector.second_stage.n_runs == sum(output >= wanted_above for _, output in first)


@pytest.mark.parametrize("cascade", [{"wanted_above": "64"}, {"wanted_above": 300}, {}, 64, [64]])
def test_a_cascade_that_is_not_one_is_refused(cascade: object, tmp_path: Path) -> None:
    folder = shutil.copytree(builtin_model_dir(SHIPPED_DETECTOR), tmp_path / "model")
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"cascade": cascade}), encoding="utf-8")
    with pytest.raises(ManifestMismatchError, match="wanted_above must be a whole number"):
        StreamingDetector.from_model(folder)
