from pathlib import Path

import numpy as np
import pytest

from export.logit_convolution import logit_as_convolution
from export.micro import MicroModel
from export.minify import write_flatbuffer
from export.operators import list_operators, open_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

pytest.importorskip("tensorflow", reason="needs the train extra")
from tests.export.second_stages import random_second_stage

pytestmark = pytest.mark.train


def end(graph: bytes, path: Path) -> tuple[TfliteModel, MicroModel]:
    """Return the last two operations alone, in LiteRT and in TensorFlow Lite Micro."""
    model, subgraph = open_graph(graph)
    subgraph.operators = subgraph.operators[-2:]
    subgraph.inputs = [subgraph.operators[0].inputs[0]]
    path.write_bytes(write_flatbuffer(model))
    return TfliteModel(path, reference_kernels=True), MicroModel(path)


def test_all_interpreters_round_alike(tmp_path: Path) -> None:
    graph = random_second_stage(10)
    model, _ = open_graph(graph)
    logit_as_convolution(model)
    changed = write_flatbuffer(model)
    assert "FULLY_CONNECTED" in list_operators(graph, where="x")
    assert "FULLY_CONNECTED" not in list_operators(changed, where="x")
    n_different, outputs = [], []
    for number, one in enumerate((graph, changed)):
        lite, micro = end(one, tmp_path / f"{number}.tflite")
        pooled = np.random.default_rng(1).integers(-128, 128, (3_000, *lite.inputs[0].shape[1:]), dtype=np.int8)
        outputs = [[model.run(row[None]).item() for row in pooled] for model in (lite, micro)]
        n_different.append(int(np.not_equal(*outputs).sum()))
        assert len(set(outputs[0])) > 100
    assert n_different[0] > 0
    assert n_different[1] == 0


def test_a_layer_without_a_bias_gets_one_of_zeros(tmp_path: Path) -> None:
    model, subgraph = open_graph(random_second_stage(10))
    layer = subgraph.operators[-2]
    layer.inputs = [*layer.inputs[:2], -1]
    without = write_flatbuffer(model)
    logit_as_convolution(model)
    changed = write_flatbuffer(model)
    logit_as_convolution(model)
    assert write_flatbuffer(model) == changed, "it is done once"
    lite, micro = end(changed, tmp_path / "changed.tflite")
    before, _ = end(without, tmp_path / "without.tflite")
    pooled = np.random.default_rng(1).integers(-128, -110, (400, *lite.inputs[0].shape[1:]), dtype=np.int8)
    outputs = [[one.run(row[None]).item() for row in pooled] for one in (before, lite, micro)]
    assert outputs[1] == outputs[2]
    assert np.abs(np.subtract(outputs[0], outputs[1])).max() <= 3, "a step of the logit at most"
    assert len(set(outputs[0])) > 50


def test_a_graph_of_another_form_is_refused() -> None:
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    model, subgraph = open_graph(folder.file("detector.tflite").read_bytes())
    subgraph.operators.pop()
    with pytest.raises(CorruptArtifactError, match="fully connected"):
        logit_as_convolution(model)
