"""The API works where a script has no main guard and where there is no script file at all."""

import subprocess
import sys
from pathlib import Path

import nowplaying

PROGRAM = """
import sys, nowplaying
songs = [one.path for one in nowplaying.demo_recordings().values() if one.indexed][:2]
nowplaying.index(songs, sys.argv[1])
print(nowplaying.Recognizer.open(sys.argv[1]).recognize(songs[1]).match.title)
"""


def test_a_program_on_standard_input_indexes_and_recognizes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-", tmp_path / "songs.npdb"], input=PROGRAM, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    title = [one.title for one in nowplaying.demo_recordings().values() if one.indexed][1]
    assert done.stdout.strip() == title


def test_a_script_without_a_main_guard_indexes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, tmp_path / "songs.npdb"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
