"""The length of a recording does not matter: an hour takes no more memory than a song."""

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from simulator.demo import index_demo_songs
from tests.nowplaying.cli.conftest import SCRIPT

from .sounds import SAMPLE_RATE_HZ, music

# An hour is 230 MB as float32, and used to be held three times over.
_HOUR_S = 3_600
_MOST_RESIDENT_MB = 300
_MEASURED = """
import re, sys
{script_imports}
try:
    main()
finally:
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an hour of music in 8-bit samples, of which one minute is repeated."""
    path = tmp_path_factory.mktemp("hour") / "hour.wav"
    minute = music(3, 60.0)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, "PCM_U8", format="WAV") as file:
        for _ in range(_HOUR_S // 60):
            file.write(minute)
    return path


def peak_mb(*words: str | Path) -> tuple[int, float]:
    """Return the exit code of a command and its largest resident set in MB."""
    code = _MEASURED.format(script_imports=SCRIPT.split(";")[0])
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, int(done.stderr.split()[-1]) / 1024


def test_recognize_reads_only_what_it_needs(hour: Path, tmp_path: Path) -> None:
    index_demo_songs(tmp_path / "demo.npdb")
    code, megabytes = peak_mb("recognize", "--db", tmp_path / "demo.npdb", hour)
    assert code == 1  # an unknown song
    assert megabytes < _MOST_RESIDENT_MB


def test_index_and_detect_stream(hour: Path, tmp_path: Path) -> None:
    for words in (("index", hour, "--db", tmp_path / "a.npdb", "--jobs", "1"), ("detect", hour)):
        code, megabytes = peak_mb(*words)
        assert code == 0
        assert megabytes < _MOST_RESIDENT_MB, words[0]
