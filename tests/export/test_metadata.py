"""Metadata inside a graph: the graph stays as it is, every runtime computes the same, and the file repeats."""

import json
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.metadata import IDENTITY, STANDARD, own_bytes, read_entries, read_identity, with_metadata
from export.model_copies import copy_with_metadata
from export.operators import list_operators
from export.stream_graph import streaming_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from tests.detector.networks import SMALL, random_weights

SHIPPED = sorted(
    path for name in (SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER) for path in builtin_model_dir(name).glob("*.tflite")
)


@pytest.fixture(params=[path.name for path in SHIPPED] + ["stream.tflite"])
def path(request, tmp_path: Path) -> Path:
    for shipped in SHIPPED:
        if shipped.name == request.param:
            return shipped
    (tmp_path / "stream.tflite").write_bytes(streaming_graph(SMALL, random_weights()))
    return tmp_path / "stream.tflite"


def test_a_stamped_graph_computes_the_same_bits(path: Path, tmp_path: Path) -> None:
    graph = path.read_bytes()
    (tmp_path / "with-metadata.tflite").write_bytes(with_metadata(graph, {IDENTITY: b"{}", "other": b"x" * 33}))
    rng = np.random.default_rng(1)
    for reference in (True, False):
        one, two = (TfliteModel(p, reference_kernels=reference) for p in (path, tmp_path / "with-metadata.tflite"))
        assert two.tensors() == one.tensors()
        values = [rng.normal(0, 30, spec.shape).astype(spec.dtype) for spec in one.inputs]
        for expected, found in zip(one.run_all(values), two.run_all(values), strict=True):
            assert np.array_equal(expected, found)


def test_a_microcontroller_computes_the_same_bits(tmp_path: Path) -> None:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    graph = SHIPPED[0].read_bytes()
    rng = np.random.default_rng(2)
    values = [rng.integers(-128, 127, spec.shape).astype(np.int8) for spec in TfliteModel(SHIPPED[0]).inputs]
    found = []
    for content in (graph, with_metadata(graph, {IDENTITY: b"{}"})):
        interpreter = runtime.Interpreter.from_bytes(content)
        for number, value in enumerate(values):
            interpreter.set_input(value, number)
        interpreter.invoke()
        found.append(interpreter.get_output(0).item())
    assert found[0] == found[1]


@settings(max_examples=30, deadline=None)
@given(entries=st.dictionaries(st.text(min_size=1, max_size=40), st.binary(min_size=1, max_size=100), max_size=3))
def test_what_goes_in_comes_out(entries: dict[str, bytes]) -> None:
    graph = SHIPPED[1].read_bytes()
    before = read_entries(graph)
    again = with_metadata(graph, entries)
    assert read_entries(again) == {**before, **entries}
    assert own_bytes(again, len(graph)) == graph
    assert list_operators(again, where="") == list_operators(graph, where="")
    assert with_metadata(graph, entries) == again


def test_an_export_says_inside_what_it_is(tmp_path: Path) -> None:
    for name, role in ((SHIPPED_DETECTOR, "detector"), (SHIPPED_FINGERPRINTER, "fingerprinter")):
        model = ModelFolder.open(name, role=role)
        copy = copy_with_metadata(model, tmp_path / role)
        for file, record in copy.manifest["files"].items():
            if not file.endswith(".tflite"):
                continue
            content = copy.file(file).read_bytes()
            identity = read_identity(content, where=file)
            assert (identity["name"], identity["role"]) == (name, role)
            assert identity["graph_sha256"] == model.manifest["files"][file]["sha256"] == record["graph_sha256"]
            assert own_bytes(content, record["graph_bytes"]) == model.file(file).read_bytes()
            text = read_entries(content)[STANDARD]
            assert flatbuffers.util.BufferHasIdentifier(text, 0, b"M001")
            assert name.encode() in text
            assert b"Apache-2.0" in text


def test_a_lone_graph_without_an_identity_is_refused() -> None:
    graph = SHIPPED[0].read_bytes()
    for content in (
        graph,
        with_metadata(graph, {IDENTITY: b"no JSON"}),
        with_metadata(graph, {IDENTITY: json.dumps([1]).encode()}),
    ):
        with pytest.raises(CorruptArtifactError, match="metadata"):
            read_identity(content, where="x.tflite")


def test_tensors_of_the_detector_have_names_and_a_signature(tmp_path: Path) -> None:
    graph = (builtin_model_dir(SHIPPED_DETECTOR) / "detector.tflite").read_bytes()
    copy = copy_with_metadata(ModelFolder.open(SHIPPED_DETECTOR, role="detector"), tmp_path / "model")
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(copy.file("detector.tflite")))
    n_states = 6
    names = [one["name"] for one in interpreter.get_input_details()]
    assert names == ["frames", *(f"state_{number}" for number in range(n_states))]
    signature = interpreter.get_signature_runner()
    assert set(signature.get_input_details()) == set(names)
    rng = np.random.default_rng(5)
    original = TfliteModel(builtin_model_dir(SHIPPED_DETECTOR) / "detector.tflite")
    values = [rng.integers(-128, 128, spec.shape).astype(np.int8) for spec in original.inputs]
    found = signature(**dict(zip(names, values, strict=True)))
    expected = original.run_all(values)
    assert set(found) == {"probability", *(f"joined_{number}" for number in range(n_states))}
    assert np.array_equal(found["probability"], expected[0])
    assert all(np.array_equal(found[f"joined_{number}"], expected[1 + number]) for number in range(n_states))
    content = copy.file("detector.tflite").read_bytes()
    assert own_bytes(content, len(graph)) == graph
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the micro extra")
    micro = runtime.Interpreter.from_bytes(content)
    for number, value in enumerate(values):
        micro.set_input(value, number)
    micro.invoke()
    assert micro.get_output(0).item() == expected[0].item()
