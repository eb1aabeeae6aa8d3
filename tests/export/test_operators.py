import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from export.operators import list_operators, open_graph, operator_values
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError

GRAPH = (builtin_model_dir(SHIPPED_DETECTOR) / "detector.tflite").read_bytes()


def packed(model) -> bytes:
    builder = Builder(1 << 14)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_operations_are_counted_by_name() -> None:
    assert list_operators(GRAPH, where="x") == {"CONCATENATION": 6, "CONV_2D": 8, "DEPTHWISE_CONV_2D": 6, "LOGISTIC": 1}


def test_an_operation_of_ones_own_is_refused() -> None:
    model, _ = open_graph(GRAPH)
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = b"FlexErf"
    with pytest.raises(CorruptArtifactError, match=r"x.tflite: .*not builtin"):
        list_operators(packed(model), where="x.tflite")


def test_a_shape_of_the_day_is_refused() -> None:
    model, subgraph = open_graph(GRAPH)
    subgraph.tensors[0].shapeSignature = [-1, 446, 1, 40]
    with pytest.raises(CorruptArtifactError, match="not static"):
        list_operators(packed(model), where="x.tflite")


def test_a_second_subgraph_is_refused() -> None:
    model, subgraph = open_graph(GRAPH)
    model.subgraphs = [subgraph, subgraph]
    with pytest.raises(CorruptArtifactError, match="2 subgraphs"):
        list_operators(packed(model), where="x.tflite")


def test_templates_name_the_functions_that_add_operations() -> None:
    values = operator_values(["CONV_2D", "FULLY_CONNECTED", "LOGISTIC"], prefix="second_")
    assert values == {
        "second_operators": "CONV_2D, FULLY_CONNECTED, LOGISTIC",
        "second_operator_count": 3,
        "second_operator_macro": "ADD(Conv2D) ADD(FullyConnected) ADD(Logistic)",
    }
