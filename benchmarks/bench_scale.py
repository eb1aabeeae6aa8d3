"""How large and how quick a database is at any size: python -m benchmarks.bench_scale --songs 1000 10000 100000.

Databases of synthetic distractors (benchmarks/make_database.py) are made in ``--work`` where they are not there yet.
Each is measured in processes of its own: bytes by file, opening (first, when all is hashed, and later), memory, and
queries on one core. A query has as many fingerprints as the shipped model makes of eight seconds, 12, here of a
distractor with noise. Finding distractors shows that the search works; it is no measure of accuracy. Results are added
to ``--out`` as one record a run, newest last; ``--plot`` draws the last record of each size.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.make_database import make_database
from benchmarks.make_database import parse as parse_database
from nowplaying_core.command import run_command
from ondevice_db.format.layouts import CODE_KINDS

ROOT = Path(__file__).resolve().parents[1]
N_QUERIES = 200
NOISE = 1.0  # standard deviation over the length of a fingerprint: a cosine of 0.7 to the clean one
N_FINGERPRINTS, QUERY_HOP_S = 12, 0.5
PARTS = ("probe", "scan", "top_k", "_refine", "fingerprints", "offset_histogram", "rescore", "gather_evidence")


def main(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Make the missing databases, measure, return the records, and add them to a history where one is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, nargs="+", default=[1000])
    parser.add_argument("--code-bytes", type=int, default=12)
    parser.add_argument("--code-kind", choices=CODE_KINDS, default="product")
    parser.add_argument("--work", type=Path, help="folder of the databases, kept; by default a temporary one")
    parser.add_argument("--jobs", type=int, default=1, help="processes that synthesize songs")
    parser.add_argument("--queries", type=int, default=N_QUERIES)
    parser.add_argument("--out", type=Path, help="add the records to this file, such as benchmarks/scale.json")
    parser.add_argument("--plot", type=Path, help="PNG to draw")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure or options.memory:
        found = measure(options.measure, options.queries) if options.measure else memory(options.memory)
        print(json.dumps(found))
        return []
    history = json.loads(options.out.read_text(encoding="utf-8")) if options.out and options.out.is_file() else []
    n_before = len(history)
    with tempfile.TemporaryDirectory() as scratch:
        work = (options.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for n_songs in options.songs:
            record = {"when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), **machine(), "songs": n_songs}
            record |= bench(n_songs, work, options)
            print(json.dumps(record, indent=2))
            history.append(record)
            if options.out:
                options.out.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot(history, options.plot)
    return history[n_before:]


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"cpu": names[0].split(":")[1].strip() if names else platform.machine(), "python": platform.python_version()}


def bench(n_songs: int, work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one size."""
    database = work / f"distractors-{n_songs}-{options.code_bytes}-{options.code_kind}.npdb"
    result: dict[str, Any] = {}
    if not database.is_dir():
        arguments = [str(database), "--songs", str(n_songs), "--code-bytes", str(options.code_bytes)]
        arguments += ["--code-kind", options.code_kind]
        result["made"] = make_database(parse_database([*arguments, "--jobs", str(options.jobs), "--keep"]))
    return result | _in_new_process("--measure", str(database), "--queries", str(options.queries))


def measure(database: Path, n_queries: int) -> dict[str, Any]:
    """Measure a database in this process, which has opened nothing before."""
    import numpy as np

    from ondevice_db.match.matcher import Matcher
    from ondevice_db.store.store import SongDatabase

    began = clocks()
    opened = SongDatabase.open(database, check_hashes=True)
    checked = since(began)
    del opened
    fresh = _in_new_process("--memory", str(database))
    opened = SongDatabase.open(database)
    matcher, info = Matcher(opened), opened.info()
    rng = np.random.default_rng(7)
    times, n_found = [], 0
    for number in range(n_queries + 5):
        song, query = noisy_query(opened, rng)
        began = clocks()
        match = matcher.match(query, QUERY_HOP_S)
        if number >= 5:
            times.append(since(began))
            n_found += bool(match.candidates) and match.candidates[0].song_index == song
    parts = profile(matcher, opened, rng)
    wall, cpu = zip(*times, strict=True)
    return {
        "n_fingerprints": info["n_fingerprints"],
        "n_cells": info["n_cells"],
        "code_bytes": info["code_bytes"],
        "code_kind": info["code_kind"],
        "total_mb": round(info["total_bytes"] / 1e6, 2),
        "bytes_by_file": info["size_bytes"],
        "bytes_per_song": round(info["total_bytes"] / info["n_songs"]),
        "open_first_ms": round(checked[0]),
        **fresh,
        "query_fingerprints": N_FINGERPRINTS,
        "scanned": match.n_scanned,
        "scanned_share": round(match.n_scanned / info["n_fingerprints"], 5),
        "query_ms_p50": round(float(np.percentile(wall, 50)), 2),
        "query_ms_p95": round(float(np.percentile(wall, 95)), 2),
        "query_cpu_ms_p50": round(float(np.percentile(cpu, 50)), 2),
        "query_cpu_ms_p95": round(float(np.percentile(cpu, 95)), 2),
        "cpu_ms_by_part": parts,
        "distractors_found": f"{n_found} of {n_queries}",
    }


def noisy_query(opened: Any, rng: Any) -> tuple[int, Any]:
    """Return a song and fingerprints every half second of it, between those stored, with noise."""
    import numpy as np

    from ondevice_db.index.normalize import l2_normalize

    starts, song = opened.song_starts, int(rng.integers(opened.n_songs))
    n_stored = int(np.ceil(N_FINGERPRINTS * QUERY_HOP_S / opened.manifest.hop_s)) + 1
    length = int(starts[song + 1] - starts[song])
    first = starts[song] + int(rng.integers(max(1, length // 2)))
    stored = opened.index.vectors(np.minimum(first + np.arange(n_stored + 1), starts[song + 1] - 1))
    place = np.arange(N_FINGERPRINTS) * QUERY_HOP_S / opened.manifest.hop_s + rng.random()
    left, share = place.astype(int), (place % 1)[:, None]
    clean = l2_normalize((1 - share) * stored[left] + share * stored[left + 1])
    return song, l2_normalize(clean + NOISE * rng.standard_normal(clean.shape) / np.sqrt(clean.shape[1]))


def profile(matcher: Any, opened: Any, rng: Any, n_queries: int = 30) -> dict[str, float]:
    """Return the CPU ms of a query's parts, each with what it calls, as a profiler sees them: a little too long."""
    import cProfile
    import pstats

    queries = [noisy_query(opened, rng)[1] for _ in range(n_queries)]
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for query in queries:
        matcher.match(query, QUERY_HOP_S)
    profiler.disable()
    found = dict.fromkeys(PARTS, 0.0)
    for (_, _, name), row in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        if name in found:
            found[name] += row[3]
    return {name: round(1000 * seconds / n_queries, 2) for name, seconds in found.items()}


def _in_new_process(*arguments: str) -> dict[str, Any]:
    """Return the figures of a process that has done nothing else."""
    command = [sys.executable, "-m", "benchmarks.bench_scale", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def memory(database: Path) -> dict[str, Any]:
    """Return what opening and querying take in time and memory, with all modules loaded before."""
    import numpy as np

    from ondevice_db.match.matcher import Matcher
    from ondevice_db.store.store import SongDatabase

    rng = np.random.default_rng(1)
    query = rng.standard_normal((N_FINGERPRINTS, 96)).astype(np.float32)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    before = resident()
    began = clocks()
    opened = SongDatabase.open(database)
    wall_ms, cpu_ms = since(began)
    at_open = resident()
    began = clocks()
    Matcher(opened).match(query, QUERY_HOP_S)
    first_ms, _ = since(began)
    after_one = resident()
    for _ in range(20):
        Matcher(opened).match(noisy_query(opened, rng)[1], QUERY_HOP_S)
    return {
        "open_ms": round(wall_ms, 1),
        "open_cpu_ms": round(cpu_ms, 1),
        "first_query_ms": round(first_ms, 1),
        "rss_before_mb": before,
        "rss_open_mb": at_open,
        "rss_query_mb": after_one,
        "rss_20_queries_mb": resident(),
    }


def clocks() -> tuple[float, float]:
    """Return wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def since(began: tuple[float, float]) -> tuple[float, float]:
    """Return wall and CPU milliseconds since then."""
    now = clocks()
    return 1000 * (now[0] - began[0]), 1000 * (now[1] - began[1])


def resident() -> dict[str, float]:
    """Return the process's resident memory, in all, of its own, and of mapped files, and the most so far; in MB."""
    status = Path("/proc/self/status").read_text().splitlines()
    table = {line.split(":")[0]: line.split()[1] for line in status if line.startswith(("Vm", "Rss"))}
    names = {"all": "VmRSS", "own": "RssAnon", "files": "RssFile", "most": "VmHWM"}
    return {name: round(int(table[key]) / 1024, 1) for name, key in names.items()}


def plot(history: list[dict[str, Any]], path: Path) -> None:
    """Draw the last record of each size and code length."""
    from nowplaying_core.plotting import pyplot, save_figure

    plt = pyplot()

    last = {(record["code_bytes"], record["songs"]): record for record in history}
    figure, panels = plt.subplots(1, 3, figsize=(14, 4))
    for n_bytes in sorted({key[0] for key in last}):
        records = [last[key] for key in sorted(last) if key[0] == n_bytes]
        songs = [record["songs"] for record in records]
        label = f"{n_bytes} bytes"
        panels[0].plot(songs, [record["bytes_per_song"] for record in records], marker="o", label=label)
        panels[1].plot(songs, [record["query_cpu_ms_p50"] for record in records], marker="o", label=f"{label}, p50")
        panels[1].plot(
            songs, [record["query_cpu_ms_p95"] for record in records], "--", marker=".", label=f"{label}, p95"
        )
        panels[2].plot(songs, [record["open_cpu_ms"] for record in records], marker="o", label=f"{label}: open, CPU ms")
        growth = [record["rss_query_mb"]["most"] - record["rss_before_mb"]["all"] for record in records]
        panels[2].plot(songs, growth, "--", marker=".", label=f"{label}: memory of a query, MB")
    for panel, title in zip(panels, ("bytes a song, all included", "one query, CPU ms, one core", ""), strict=True):
        panel.set(xscale="log", xlabel="songs of 3.5 minutes", title=title, ylim=(0, None))
        panel.legend(fontsize="small")
    figure.tight_layout()
    save_figure(figure, path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run_command(main)
