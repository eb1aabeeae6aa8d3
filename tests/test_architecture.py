"""Which room may import which, and who may import TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [LINTER, "--no-cache", "--config", ROOT / "pyproject.toml"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder)}
    )


@pytest.mark.skipif(not LINTER.exists(), reason="import-linter is not installed in this environment")
def test_import_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


def test_nothing_imports_the_command_line() -> None:
    rooms = ("detector", "export", "fingerprinter", "nowplaying", "ondevice_db", "pretraining", "simulator")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py") if "cli" not in path.parts]
    assert files
    assert [path for path in files if any(name.startswith("nowplaying.cli") for name in imports(path))] == []


def test_no_file_unpickles() -> None:
    rooms = (
        "detector",
        "export",
        "fingerprinter",
        "nowplaying",
        "ondevice_db",
        "pretraining",
        "simulator",
        "benchmarks",
        "evaluation",
    )
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    offenders = [path for path in files if imports(path) & {"pickle", "joblib", "dill", "shelve"}]
    offenders += [path for path in files if "allow_pickle=True" in path.read_text(encoding="utf-8")]
    assert offenders == []
