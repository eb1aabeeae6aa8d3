"""List the operations of a graph by name, and check that all are builtin and all shapes static."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from nowplaying_core.errors import CorruptArtifactError

__all__ = ["OPERATOR_NAMES", "builtin_code", "list_operators", "open_graph", "operator_values"]

OPERATOR_NAMES: Final = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_FOREIGN: Final = {schema.BuiltinOperator.CUSTOM, schema.BuiltinOperator.STABLEHLO_CUSTOM_CALL}


def open_graph(graph: bytes) -> tuple[Any, Any]:
    """Return a file's content as schema objects: the model, and its one subgraph."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph, 0))
    return model, model.subgraphs[0]


def builtin_code(model: Any, operator: Any) -> int:
    """Return an operation's code: the larger of the old one-byte field and the new one."""
    code = model.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def list_operators(graph: bytes, *, where: str) -> dict[str, int]:
    """Return how often a graph uses each operation, by the operation's name.

    Raises
    ------
    CorruptArtifactError
        When it needs an operation that a plain interpreter has not, a second subgraph, or a shape that is only known
        when it runs: each would need more on the phone than the runtime alone.
    """
    model, subgraph = open_graph(graph)
    codes = [builtin_code(model, operator) for operator in subgraph.operators]
    problems = []
    if foreign := sorted({code for code in codes if code in _FOREIGN or code not in OPERATOR_NAMES}):
        problems.append(f"operations that are not builtin ({', '.join(map(str, foreign))})")
    if len(model.subgraphs) != 1:
        problems.append(f"{len(model.subgraphs)} subgraphs")
    if any(size < 1 for tensor in subgraph.tensors for size in _stated_shape(tensor)):
        problems.append("a shape that is not static")
    if problems:
        message = f"{where}: expected one graph of builtin operations and static shapes, found {'; '.join(problems)}"
        raise CorruptArtifactError(message)
    counts = Counter(OPERATOR_NAMES[code] for code in codes)
    return dict(sorted(counts.items()))


def operator_values(operators: Iterable[str], *, prefix: str = "") -> dict[str, object]:
    """Return what C templates say of a graph's operations: their names, their number, and a macro that adds each.

    The macro has the names of TensorFlow Lite Micro's functions: ``Conv2D`` of ``AddConv2D`` for ``CONV_2D``.
    """
    names = list(operators)
    calls = ["".join(word.capitalize() for word in name.split("_")).replace("2d", "2D") for name in names]
    return {
        f"{prefix}operators": ", ".join(names),
        f"{prefix}operator_count": len(names),
        f"{prefix}operator_macro": " ".join(f"ADD({call})" for call in calls),
    }


def _stated_shape(tensor: Any) -> list[int]:
    signature = tensor.shapeSignature
    stated = tensor.shape if signature is None or len(signature) == 0 else signature
    return [] if stated is None else [int(size) for size in stated]
