"""Run the command line: in this process for speed, or as the executable where signals and start-up matter."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nowplaying.cli.main import main

SCRIPT = "from nowplaying.cli.main import main; main()"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout; fails on anything that is not strict JSON, such as NaN."""

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        return [json.loads(line, parse_constant=refuse) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["nowplaying", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        code = ended.value.code
        assert "Traceback" not in captured.err
        return Done(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return call


@pytest.fixture
def executable() -> Run:
    def call(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> Done:
        command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300, **options)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, music_folder: Path) -> Path:
    """Return a database of the eight songs. Tests that change it work on a copy."""
    path = tmp_path_factory.mktemp("database") / "songs.npdb"
    command = [sys.executable, "-c", SCRIPT, "index", music_folder, "--db", path, "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path
