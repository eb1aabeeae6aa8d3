"""How fast: one fingerprint, indexing from MP3 and from 16 kHz WAV, and one 8 s query end to end.

Run: ``python -m benchmarks.bench_speed [--music FOLDER] [--jobs N] [--out FILE]``. Without a folder the demo's
recordings are used, so that anyone can repeat it. Nothing else should run on the machine meanwhile.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core a query, one core a worker: what a phone gives

import numpy as np
import soundfile

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ, find_audio, load
from nowplaying_core.command import run_command
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.store import SongDatabase

DEMO = Path(__file__).resolve().parents[1] / "simulator/scenes/demo_assets"


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, default=DEMO)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tracks", type=int, default=40)
    parser.add_argument("--track-s", type=int, default=180, help="seconds of each track")
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args(arguments)
    fingerprinter = Fingerprinter.from_model()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tracks = make_tracks(options.music, options.tracks, options.track_s)
        result = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "n_tracks": len(tracks),
            "track_s": options.track_s,
            "jobs": options.jobs,
            **time_fingerprint(fingerprinter, options.queries),
        }
        for name, rate_hz, suffix in (("wav_16k", SAMPLE_RATE_HZ, ".wav"), ("mp3_44k1", 44_100, ".mp3")):
            files = write_tracks(tracks, folder / name, rate_hz, suffix)
            began_s = time.perf_counter()
            report = index_paths(files, folder / f"{name}.npdb", fingerprinter, jobs=options.jobs)
            elapsed_s = time.perf_counter() - began_s
            result[f"index_{name}_times_real_time"] = round(report.seconds_of_audio / elapsed_s, 1)
        result |= time_queries(tracks, folder / "wav_16k.npdb", fingerprinter, options.queries)
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return result


def time_fingerprint(fingerprinter: Fingerprinter, n_windows: int) -> dict[str, float]:
    """Return the median time of the front end and of the encoder for one window, on one core."""
    rng = np.random.default_rng(2)
    windows = rng.standard_normal((n_windows, 1, fingerprinter.window_samples)).astype(np.float32) * np.float32(0.1)
    images = [fingerprinter.front_end(window) for window in windows]
    steps: dict[str, Callable[[int], object]] = {
        "front_end_ms_p50": lambda number: fingerprinter.front_end(windows[number]),
        "encoder_ms_p50": lambda number: fingerprinter.encode(images[number]),
    }
    result = {}
    for name, step in steps.items():
        times_ms = []
        for number in range(n_windows):
            began_s = time.perf_counter()
            step(number)
            times_ms.append(1000 * (time.perf_counter() - began_s))
        result[name] = round(float(np.median(times_ms)), 3)
    return result


def make_tracks(folder: Path, n_tracks: int, track_s: int) -> list[np.ndarray]:
    """Return distinct tracks of equal length: the recordings looped from another start and mixed with a neighbour."""
    sources = [load(path) for path in find_audio([folder])][:n_tracks]
    rng = np.random.default_rng(0)
    tracks = []
    for index in range(n_tracks):
        first, second = sources[index % len(sources)], sources[int(rng.integers(len(sources)))]
        looped = np.resize(np.roll(first, int(rng.integers(first.size))), track_s * SAMPLE_RATE_HZ)
        other = np.resize(second, looped.size)
        tracks.append((0.6 * looped + 0.3 * other).astype(np.float32))
    return tracks


def write_tracks(tracks: list[np.ndarray], folder: Path, rate_hz: int, suffix: str) -> list[Path]:
    """Write the tracks as 16-bit WAV or as MP3 at the rate."""
    import soxr

    folder.mkdir()
    paths = []
    for index, track in enumerate(tracks):
        path = folder / f"track-{index:02d}{suffix}"
        samples = track if rate_hz == SAMPLE_RATE_HZ else soxr.resample(track, SAMPLE_RATE_HZ, rate_hz)
        if suffix == ".mp3":
            stereo = np.stack([samples, samples], axis=1)
            soundfile.write(path, stereo, rate_hz, format="MP3")
        else:
            soundfile.write(path, samples, rate_hz, subtype="PCM_16")
        paths.append(path)
    return paths


def time_queries(
    tracks: list[np.ndarray], database: Path, fingerprinter: Fingerprinter, n_queries: int
) -> dict[str, float]:
    """Return the latency of 8 s queries in noise, after the first one has warmed everything up."""
    recognizer = Recognizer(SongDatabase.open(database, fingerprinter.embedding_space), fingerprinter)
    rng = np.random.default_rng(1)
    latencies_ms, n_accepted = [], 0
    for number in range(n_queries + 1):
        index = int(rng.integers(len(tracks)))
        start = int(rng.integers(tracks[index].size - 8 * SAMPLE_RATE_HZ))
        query = tracks[index][start : start + 8 * SAMPLE_RATE_HZ]
        noisy = query + rng.standard_normal(query.size).astype(np.float32) * np.float32(query.std() * 0.5)
        began_s = time.perf_counter()
        recognition = recognizer.recognize(noisy)
        if number:
            latencies_ms.append(1000 * (time.perf_counter() - began_s))
            n_accepted += recognition.match is not None
    p50, p95 = np.percentile(latencies_ms, [50, 95])
    return {"query_ms_p50": round(float(p50), 2), "query_ms_p95": round(float(p95), 2), "n_accepted": n_accepted}


if __name__ == "__main__":
    run_command(main)
