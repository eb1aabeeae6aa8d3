"""The command that opens the page: where it listens, how it ends, and what it refuses before it begins."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SCRIPT, Run


def start(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, "serve", "--no-browser", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]", sign: signal.Signals) -> str:
    """Send a signal and return what was printed on stderr; a process that does not end fails the test."""
    process.send_signal(sign)
    try:
        return process.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        process.kill()  # otherwise the test would wait for it for ever
        raise


def test_it_ends_where_its_parent_ignores_interrupts(database: Path) -> None:
    """A shell's background job ignores SIGINT until somebody handles it, so that an early one would be lost."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with start("--db", database, "--json") as process:
            assert process.stdout is not None
            process.stdout.readline()
            end(process, signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.returncode == 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_when_asked(database: Path, sign: signal.Signals) -> None:
    with start("--db", database, "--json") as process:
        assert process.stdout is not None
        record = json.loads(process.stdout.readline())
        err = end(process, sign)
    assert record["schema"] == "nowplaying/serve/1"
    assert record["url"].startswith("http://127.0.0.1:")
    assert process.returncode == (0 if sign == signal.SIGINT else -signal.SIGTERM)
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_told(run: Run, database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--db", database, "--no-browser", "--port", str(port))
    assert done.code == 3
    assert f"--port {port}: cannot listen there" in done.err


def test_a_further_database_has_to_be_there(run: Run, database: Path, tmp_path: Path) -> None:
    done = run("serve", "--db", database, "--db", tmp_path / "none.npdb", "--no-browser", "--port", "0")
    assert done.code == 3
    assert "none.npdb" in done.err


def test_a_damaged_database_is_told_before_the_page_opens(run: Run, database: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "songs.npdb"
    shutil.copytree(database, damaged)
    (file,) = damaged.glob("codes-*.npy")
    file.write_bytes(file.read_bytes()[:-1])
    done = run("serve", "--db", damaged, "--no-browser", "--port", "0")
    assert (done.code, done.out) == (4, "")


def test_a_missing_extra_is_told(run: Run, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = run("serve", "--db", database, "--no-browser", "--port", "0")
    assert done.code == 5
    assert "pip install 'nowplaying-ondevice[serve]'" in done.err
