"""Let ``listen`` run on a pipe for hours of sound and watch its memory.

``python -m evaluation.endurance.soak_listen --hours 24 --speed 50 --out soak.json``: a day of songs, noise and silence
goes in as raw PCM, fifty times as fast as it sounds; without ``--speed``, as fast as it is taken. A growth of the
resident set behind the first hour is what is looked for.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, load, to_int16
from nowplaying_core.command import run_command
from simulator.demo import index_demo_songs
from simulator.scenes.recordings import demo_recordings

__all__ = ["main", "soak"]

_CODE = "from nowplaying.cli.main import main; main()"
_LOOK_S = 600


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the soak and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--speed", type=float, help="times real time; without it, as fast as listen takes it")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    result = soak(options.hours, options.speed)
    print(json.dumps(result, indent=2))
    if options.out is not None:
        write_json(options.out, result)
    return result


def soak(hours: float, speed: float | None = None) -> dict[str, Any]:
    """Return the resident set every ten minutes of sound, in MB, and how many songs were named.

    Parameters
    ----------
    hours : float > 0
        Sound to send.
    speed : float > 0, optional
        Times real time at which it is sent.
    """
    rng = np.random.default_rng(11)
    songs = [to_int16(load(one.path)) for one in demo_recordings().values() if one.indexed]
    noise = to_int16(0.01 * rng.standard_normal(30 * SAMPLE_RATE_HZ).astype(np.float32))
    silence = np.zeros(60 * SAMPLE_RATE_HZ, np.int16)
    total, n_sent, looked = round(3600 * hours * SAMPLE_RATE_HZ), 0, 0
    resident: list[float] = []
    named: list[str] = []
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "demo.npdb"
        index_demo_songs(database)
        command = [sys.executable, "-c", _CODE, "-q", "listen", "--db", str(database), "--json", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            if process.stdin is None or process.stdout is None:
                message = "the process has no pipes"
                raise RuntimeError(message)
            lines = process.stdout
            reader = threading.Thread(target=lambda: named.extend(line.decode() for line in lines))
            reader.start()
            while n_sent < total:
                for part in (songs[int(rng.integers(len(songs)))], noise, silence):
                    process.stdin.write(part.astype("<i2").tobytes())
                    n_sent += part.size
                if speed is not None:
                    time.sleep(max(0.0, began_s + n_sent / SAMPLE_RATE_HZ / speed - time.perf_counter()))
                if n_sent >= (looked + 1) * _LOOK_S * SAMPLE_RATE_HZ:
                    looked = n_sent // (_LOOK_S * SAMPLE_RATE_HZ)
                    resident.append(_resident_mb(process.pid))
            process.stdin.close()
            reader.join()
            code = process.wait()
    return {
        "hours": round(n_sent / SAMPLE_RATE_HZ / 3600, 2),
        "times_real_time": round(n_sent / SAMPLE_RATE_HZ / (time.perf_counter() - began_s), 1),
        "exit_code": code,
        "n_named": len(named),
        "growth_after_the_first_hour_mb": _growth_mb(resident),
        "resident_mb": resident,
    }


def _growth_mb(resident_mb: Sequence[float]) -> float | None:
    later = resident_mb[3_600 // _LOOK_S - 1 :]
    return round(max(later) - later[0], 1) if later else None


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    run_command(main)
