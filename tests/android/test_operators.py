"""The numbers and names of operators in the Android core are the schema's."""

import re
from pathlib import Path
from typing import Final

from ai_edge_litert import schema_py_generated as schema

from export.operators import OPERATOR_NAMES, builtin_code, open_graph
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir

_SOURCES: Final = Path(__file__).resolve().parents[2] / "android_demo/core/src/main/java/org/nowplaying/core/tflite"


def _kernels() -> dict[int, str]:
    cases = re.findall(r"case (\d+): // (\w+)", (_SOURCES / "Kernels.java").read_text())
    return {int(number): name for number, name in cases}


def test_each_kernel_has_its_operators_number():
    kernels = _kernels()
    assert len(kernels) >= 20
    assert kernels == {getattr(schema.BuiltinOperator, name): name for name in kernels.values()}


def test_names_in_messages_are_the_schemas():
    names = " ".join(re.findall(r'"([A-Z0-9_ ]+)"', (_SOURCES / "OperatorNames.java").read_text())).split()
    assert names == [OPERATOR_NAMES[code] for code in range(len(names))]
    assert len(names) > 160


def test_every_operator_of_a_shipped_graph_has_a_kernel():
    kernels, graphs = _kernels(), sorted(builtin_model_dir(SHIPPED_DETECTOR).parent.glob("*/*.tflite"))
    assert len(graphs) >= 6
    for path in graphs:
        model, subgraph = open_graph(path.read_bytes())
        missing = {OPERATOR_NAMES[builtin_code(model, one)] for one in subgraph.operators} - set(kernels.values())
        assert not missing, path
