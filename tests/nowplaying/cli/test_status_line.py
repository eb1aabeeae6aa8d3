"""What is being done shows on a terminal, gives way to results, and stays out of pipes."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SCRIPT

ERASED = "\r\x1b[2K"


def on_terminal(*arguments: str | Path) -> tuple[str, str, int]:
    """Run with stderr on a terminal and stdout in a pipe; return what either got, and the exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdout is not None
        seen, out = b"", b""
        streams = [ours, process.stdout.fileno()]
        while streams:
            ready, _, _ = select.select(streams, [], [], 120)
            assert ready, "nothing more came"
            for one in ready:
                try:
                    part = os.read(one, 65_536)
                except OSError:  # a terminal without its other end
                    part = b""
                if not part:
                    streams.remove(one)
                elif one == ours:
                    seen += part
                else:
                    out += part
    os.close(ours)
    return seen.decode(), out.decode(), process.returncode


@pytest.mark.parametrize("command", ["detect", "recognize"])
def test_each_file_is_shown_and_erased(command: str, database: Path, music_folder: Path) -> None:
    options = ["--db", database] if command == "recognize" else []
    seen, out, code = on_terminal(command, music_folder, *options)
    assert code == 0
    assert "song-0.wav" in seen
    assert "8 of 8: " in seen
    assert seen.endswith(ERASED)
    assert "\x1b" not in out
    assert len(out.splitlines()) >= 8


def test_quiet_shows_nothing(music_folder: Path) -> None:
    assert on_terminal("detect", music_folder, "-q")[0] == ""


def test_a_name_cannot_steer_the_terminal(music_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\nb.wav"
    path.write_bytes((music_folder / "song-0.wav").read_bytes())
    seen = on_terminal("detect", path)[0]
    assert "a?[31m?b.wav" in seen
    assert "\x1b[31m" not in seen


def test_a_pipe_gets_no_line(music_folder: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, "detect", str(music_folder)]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""
