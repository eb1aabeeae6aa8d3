"""Damage the first 4 KB of audio files of every kind and read them: no crash, no hang, no song out of noise.

``python -m evaluation.endurance.fuzz_audio --cases 10000 --seed 1 --out fuzz.json`` reads each file in a worker
process, so that a decoder that crashes or hangs costs one case and is counted.
"""

import argparse
import json
import multiprocessing
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from evaluation.endurance.forgery import damage_bytes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.command import run_command
from nowplaying_core.errors import AudioFormatError
from simulator.scenes.recordings import demo_recordings

__all__ = ["main", "run_cases"]

_HEAD_BYTES = 4_096
_MOST_S = 10.0
_SECONDS = 5
_WRITTEN = ("wav", "aiff", "au", "caf", "w64", "flac", "ogg", "mp3")
_ENCODED = {"m4a": "aac", "aac": "aac", "mka": "libvorbis", "opus": "libopus", "wma": "wmav2", "mp2": "mp2"}
_NOISE_SHARE = 0.1


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the cases and write what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    result = run_cases(options.cases, options.seed)
    print(json.dumps(result, indent=2))
    if options.out is not None:
        write_json(options.out, result)
    return result


def run_cases(n_cases: int, seed: int) -> dict[str, Any]:
    """Return how many damaged files were read, refused, and crashed or hung, and which of them went wrong."""
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = _whole_files(folder)
        worker, pipe = _start()
        for number in range(n_cases):
            rng = np.random.default_rng([seed, number])
            kind = sorted(whole)[number % len(whole)]
            is_noise = rng.random() < _NOISE_SHARE
            content = whole[kind]
            head = rng.bytes(_HEAD_BYTES) if is_noise else damage_bytes(content[:_HEAD_BYTES], rng)
            path = folder / f"case.{kind}"
            path.write_bytes(head if is_noise else head + content[_HEAD_BYTES:])
            pipe.send(str(path))
            outcome = _outcome(pipe)
            if outcome in {"crash", "hang"}:
                worker.kill()
                worker, pipe = _start()
            if is_noise and outcome == "read":
                outcome = "noise read"
            outcomes[outcome] += 1
            if outcome not in {"read", "refused"}:
                wrong.append(f"{outcome}: case {number}, {kind}")
        worker.kill()
    return {"cases": n_cases, "seed": seed, "kinds": sorted(whole), "outcomes": dict(outcomes), "wrong": wrong}


def _outcome(pipe: Connection) -> str:
    try:
        return str(pipe.recv()) if pipe.poll(_MOST_S) else "hang"
    except EOFError:
        return "crash"


def _start() -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(theirs,), daemon=True)
    worker.start()
    theirs.close()
    ours.send("")
    ours.recv()  # it has imported everything, which does not count as a hang
    return worker, ours


def _work(pipe: Connection) -> None:
    while True:
        name = pipe.recv()
        if not name:
            pipe.send("ready")
            continue
        try:
            load(Path(name), lenient=True)
            pipe.send("read")
        except AudioFormatError:
            pipe.send("refused")
        except Exception as error:  # noqa: BLE001 (whatever else is raised is what is looked for)
            pipe.send(f"{type(error).__name__}: {error}")


def _whole_files(folder: Path) -> dict[str, bytes]:
    samples = load(next(iter(demo_recordings().values())).path)[: _SECONDS * SAMPLE_RATE_HZ]
    for suffix in _WRITTEN:
        soundfile.write(folder / f"whole.{suffix}", samples, SAMPLE_RATE_HZ, format=suffix.upper())
    for suffix, codec in _ENCODED.items():
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(folder / "whole.wav"), "-c:a", codec]
        subprocess.run([*command, str(folder / f"whole.{suffix}")], check=True)
    return {suffix: (folder / f"whole.{suffix}").read_bytes() for suffix in (*_WRITTEN, *_ENCODED)}


if __name__ == "__main__":
    run_command(lambda: bool(main()["wrong"]))
