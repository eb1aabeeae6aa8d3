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


def on_terminal(*arguments: str | Path, script: str = SCRIPT) -> tuple[str, str, int]:
    """Run with stderr on a terminal and stdout in a pipe; return what either got, and the exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", script, *map(str, arguments)]
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


SLOW = """
import sys, time
from nowplaying.cli import status_line
from nowplaying.cli.logs import set_verbosity
from nowplaying.cli.output import note, progress_bar, say, working
status_line._QUIET_S = 0.1
quiet = "-q" in sys.argv
set_verbosity(verbose=0, quiet=quiet)
def wait_for_the_line():
    while not (quiet or status_line._line.is_shown):
        time.sleep(0.01)
with working("export"):
    wait_for_the_line()
    note("checking the second part")
    wait_for_the_line()
    with status_line.moving():
        time.sleep(0.5)
        assert not status_line._line.is_shown
    wait_for_the_line()
    say("done")
"""


def test_a_command_that_takes_long_says_what_it_does_and_for_how_long() -> None:
    seen, out, code = on_terminal(script=SLOW)
    assert (out, code) == ("done\n", 0)
    first, second = seen.split("checking the second part\r\n")
    assert first.startswith("export, 0:00")
    assert first.endswith(ERASED)
    assert second.startswith("checking the second part, 0:00")
    assert second.endswith(ERASED)


def test_a_quiet_command_that_takes_long_says_nothing() -> None:
    assert on_terminal("-q", script=SLOW) == ("", "done\n", 0)


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
