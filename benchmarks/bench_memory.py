"""Measure the memory and time of index, recognize and detect on recordings of 10 minutes, 1 hour and 6 hours.

Each command runs in a process of its own; the figure is its largest resident set. ``--seconds 20`` tries it out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.command import run_command
from simulator.scenes.recordings import demo_recordings

__all__ = ["main"]

_CODE = """
import re, sys
from nowplaying.cli.main import main
try:
    main()
finally:
    # Not getrusage: its maximum includes what the parent process held when it started this one.
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print one line a case, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[600, 3_600, 21_600], help="Lengths to measure.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/memory.json"))
    options = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "demo.npdb"
        music = [load(one.path) for one in demo_recordings().values() if one.indexed][:6]
        short = folder / "short.wav"
        soundfile.write(short, music[0], SAMPLE_RATE_HZ)
        _run("index", str(short), "--db", str(database))
        for seconds in options.seconds:
            path = folder / f"{seconds}.wav"
            _write(path, music, seconds)
            cases = {
                "index": ("index", str(path), "--db", str(folder / f"{seconds}.npdb"), "--jobs", "1"),
                "recognize": ("recognize", str(path), "--db", str(database)),
                "detect": ("detect", str(path)),
            }
            for command, words in cases.items():
                megabytes, elapsed_s = _run(*words)
                rows.append({"command": command, "seconds": seconds, "peak_mb": megabytes, "elapsed_s": elapsed_s})
                print(json.dumps(rows[-1]), flush=True)
            path.unlink()
    result = {"rows": rows}
    write_json(options.out, result)
    return result


def _write(path: Path, music: list[np.ndarray], seconds: int) -> None:
    """Write a stereo recording of songs one behind the other, in pieces."""
    left = seconds * SAMPLE_RATE_HZ
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 2, "PCM_16", format="RF64") as file:
        while left > 0:
            for samples in music:
                part = samples[: max(left, 0)]
                file.write(np.stack([part, 0.8 * part], axis=1))
                left -= part.size


def _run(*words: str) -> tuple[float, float]:
    """Return the largest resident set of a command in MB, and its time in seconds."""
    began_s = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _CODE, *words], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    kilobytes = int(done.stderr.split()[-1])
    return round(kilobytes / 1024, 1), round(time.perf_counter() - began_s, 2)


if __name__ == "__main__":
    run_command(main)
