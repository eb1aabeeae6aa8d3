"""How long it takes to code a song of 3.5 minutes, with each codebook of the shipped model, and what error is left.

Run: ``python -m benchmarks.bench_codes [--runs N] [--songs N] [--out FILE]``. The fingerprints are made up, as those of
distractors are. Times are of one core (CPU time, the least of the runs), so that other work on the machine counts less.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from evaluation.retrieval.distractors import SongStatistics, synthesize_songs
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.command import run_command
from ondevice_db.index.choose_codebook import CODE_BYTES
from ondevice_db.index.codebook_files import codebook_names, load_codebook

_SONG_S = 210


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--songs", type=int, default=4)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    folder = builtin_model_dir(SHIPPED_FINGERPRINTER)
    shipped = load_codebook(folder)
    made = synthesize_songs(SongStatistics.load(), shipped, options.songs, seed=5, equal_lengths=True)
    songs = [song[:_SONG_S] for song in made]  # a fingerprint a second
    record = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "model": SHIPPED_FINGERPRINTER,
        "fingerprints_per_song": _SONG_S,
        "codebooks": [_measure(folder, n, shipped.n_subspaces, songs, options.runs) for n in CODE_BYTES],
    }
    text = json.dumps(record, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return record


def _measure(folder: Path, n_bytes: int, default: int, songs: list[np.ndarray], n_runs: int) -> dict[str, Any]:
    codebook = load_codebook(folder, codebook_names(None if n_bytes == default else n_bytes))
    codebook.quantize(songs[0])  # makes what the codebook keeps for all songs
    times_ms = []
    for _ in range(n_runs):
        began_s = time.process_time()
        coded = [codebook.quantize(song) for song in songs]
        times_ms.append(1000 * (time.process_time() - began_s) / len(songs))
    pairs = zip(songs, coded, strict=True)
    left = [np.square(song - codebook.decode(*one)).sum(axis=1).mean() for song, one in pairs]
    return {
        "code_bytes": n_bytes,
        "kind": codebook.kind,
        "coding_ms_per_song": round(min(times_ms), 1),
        "squared_error": round(float(np.mean(left)), 4),
    }


if __name__ == "__main__":
    run_command(main)
