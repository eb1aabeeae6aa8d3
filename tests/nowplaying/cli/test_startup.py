"""Help is quick because nothing heavy is imported for it."""

import subprocess
import sys

import pytest

from nowplaying_core import __version__

from .conftest import Run

COMMANDS = ["index", "recognize", "detect", "listen", "simulate", "energy", "export", "train", "db", "doctor", "demo"]
HEAVY = {
    "tensorflow",
    "keras",
    "annoy",
    "ai_edge_litert",
    "tflite_runtime",
    "scipy",
    "faiss",
    "matplotlib",
    "numpy",
    "soxr",
}


@pytest.mark.parametrize("arguments", [["--help"], ["recognize", "--help"], ["db", "list", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = f"""
import sys
sys.argv = ["nowplaying", *{arguments!r}]
from nowplaying.cli.main import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("imported:", *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stdout.rpartition("imported:")[2].split())
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out) == (0, f"nowplaying {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.code == 0
    assert "Usage:" in done.out


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["recognize"], ["recognize", "a.wav"], ["energy", "--days", "0"], ["--no-such-flag"]],
)
def test_usage_errors_end_with_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err
