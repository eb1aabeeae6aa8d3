import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

pytest.importorskip("tensorflow", reason="needs the train extra")

from export.operators import open_graph
from export.second_stage_network import second_stage_tables
from nowplaying_core.errors import CorruptArtifactError
from tests.export.second_stages import random_second_stage

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def graph() -> bytes:
    return random_second_stage()


def packed(model: object) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")  # type: ignore[attr-defined]
    return bytes(builder.Output())


def test_activations_alternate_between_two_places(graph: bytes) -> None:
    tables = second_stage_tables(graph)
    layers = str(tables["second_layers"]).splitlines()
    kinds = [layer.split(",")[0].strip(" {") for layer in layers]
    assert kinds == ["CONVOLUTION", *["DEPTHWISE", "CONVOLUTION"] * 7, "AVERAGE", "FULLY_CONNECTED"]
    # 110 frames of 16 columns and 6 channels are less than the input; the first layer's output is the largest.
    assert tables["second_network_bytes"] == 446 * 40 + 221 * 18 * 6
    assert (tables["second_frames"], tables["second_input"]) == (446, 0)
    assert "{446U, 40U, 1U}, {221U, 18U, 6U}, 5U, 5U, 2U, 2U, 0U, 17840U" in layers[0]


@pytest.mark.parametrize("change", ["padding", "activation", "order"])
def test_what_the_c_code_does_not_compute_is_refused(graph: bytes, change: str) -> None:
    model, subgraph = open_graph(graph)
    options = subgraph.operators[1].builtinOptions
    if change == "padding":
        options.padding = schema.Padding.SAME
    elif change == "activation":
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    else:
        subgraph.operators.pop()
    with pytest.raises(CorruptArtifactError, match="export it again"):
        second_stage_tables(packed(model))
