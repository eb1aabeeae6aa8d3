"""Docstrings that describe parameters or attributes name each of them, and none that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")


def described(docstring: str, heading: str) -> list[str] | None:
    """Return the names under a heading of a NumPy docstring, or None where it has no such heading."""
    lines = docstring.splitlines()
    if heading not in lines:
        return None
    names: list[str] = []
    for line, below in zip(lines[lines.index(heading) + 2 :], [*lines[lines.index(heading) + 3 :], ""], strict=True):
        if re.fullmatch(r"-{3,}", below):  # the next heading
            break
        if line and not line.startswith(" "):
            names += [name.strip().lstrip("*") for name in line.split(" : ")[0].split(",")]
    return names


def parameters_of(function: ast.FunctionDef) -> list[str]:
    given = function.args
    named = [one.arg for one in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs) if one is not None]
    return [name for name in named if name not in {"self", "cls"} and not name.startswith("_")]


def fields_of(node: ast.ClassDef) -> list[str]:
    found = [
        one for one in node.body if isinstance(one, ast.AnnAssign) and "ClassVar" not in ast.unparse(one.annotation)
    ]
    return [name for one in found if not (name := ast.unparse(one.target)).startswith("_")]


def problems(tree: ast.AST) -> Iterator[str]:
    """Yield what differs between docstrings and code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        text, members = ast.get_docstring(node) or "", {getattr(one, "name", ""): one for one in node.body}
        function = members.get("__init__") if isinstance(node, ast.ClassDef) else node
        names = described(text, "Parameters")
        if names is not None and isinstance(function, ast.FunctionDef):
            taken, others = parameters_of(function), function.args.kwarg
            yield from (f"{node.name}: {name} is not described" for name in taken if name not in names)
            known = {*taken, others.arg} if others else {*taken}
            yield from (f"{node.name}: {name} is no parameter" for name in names if name not in known)
        names = described(text, "Attributes")
        is_dataclass = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
        if names is not None and is_dataclass and isinstance(node, ast.ClassDef):
            fields = fields_of(node)
            yield from (f"{node.name}: {name} is not described" for name in fields if name not in names)
            yield from (f"{node.name}: {name} is no field" for name in names if name not in {*fields, *members})


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_name_what_is_there(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): differing
        for path in sorted((ROOT / package).rglob("*.py"))
        if (differing := list(problems(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_what_differs_is_found() -> None:
    code = '''
def mixed(samples, *, snr_db, **others):
    """Return a mixture.

    Parameters
    ----------
    samples, noise : ndarray
        Mono:

        at 16 kHz.
    others : Any

    Returns
    -------
    ndarray
    """

@dataclass
class Pair:
    """Two.

    Attributes
    ----------
    one : int
    three : int
    """

    one: int
    two: int
'''
    found = ["mixed: snr_db is not described", "mixed: noise is no parameter"]
    assert list(problems(ast.parse(code))) == [*found, "Pair: two is not described", "Pair: three is no field"]
