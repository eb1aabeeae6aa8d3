"""Write a database of synthetic distractors, of any size: python -m benchmarks.make_database DB --songs N.

The songs do not exist (evaluation/retrieval/distractors.py), the database does: cells and codes are trained on them
as they would be on real ones, and the files are those that ``nowplaying index`` writes. For size and speed only. The
encoded songs are kept beside the database until it is written, so that a run that was stopped goes on, and with
``--keep`` afterwards, so that the same songs can be written again in another way.
"""

import argparse
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from evaluation.retrieval.distractors import SongStatistics, distractor_track, synthesize_songs
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.command import run_command
from nowplaying_core.processes import share_out
from ondevice_db.format.layouts import CODE_KINDS
from ondevice_db.index.annoy_cells import DEFAULT_TREES
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import load_codebook, save_codebook
from ondevice_db.index.train_codebook import (
    MIN_POINTS_PER_CELL,
    SHIPPED_N_CELLS,
    default_n_cells,
    train_codebook,
    with_smoothing,
)
from ondevice_db.store.content import Content
from ondevice_db.store.generation import write_database

SONGS_AT_ONCE = 512
_State = tuple[SongStatistics, Codebook, Codebook, argparse.Namespace]


def main() -> None:
    """Train, synthesize, encode, write."""
    options = parse()
    made = make_database(options)
    print(json.dumps(made, indent=2))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=Path)
    parser.add_argument("--songs", type=int, required=True)
    parser.add_argument("--mean-duration-s", type=float, default=210.0)
    parser.add_argument("--code-bytes", type=int, default=12)
    parser.add_argument("--code-kind", choices=CODE_KINDS, default="product", help="what a code's byte names")
    parser.add_argument("--cells", type=int, help="by default chosen from the size")
    parser.add_argument("--tried", type=int, default=1, help="cells tried for each fingerprint; indexing music tries 4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the encoded songs")
    return parser.parse_args(arguments)


def make_database(options: argparse.Namespace) -> dict[str, float]:
    """Write the database and return what it took."""
    began_s = time.process_time()
    work = options.database.with_name(f"{options.database.name}.parts")
    work.mkdir(parents=True, exist_ok=True)
    statistics, fingerprinter = SongStatistics.load(), Fingerprinter.from_model()
    n_expected = round(options.songs * options.mean_duration_s / statistics.hop_s)
    codebook = train_on_distractors(options, work, options.cells or default_n_cells(n_expected))
    trained_s = time.process_time()
    lengths, cells, codes = encode_all(options, work, codebook)
    encoded_s = time.process_time()
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
    header = {
        "layout": "pq",
        "embedding_space": fingerprinter.embedding_space,
        "encoder": fingerprinter.name,
        "dim": codebook.dim,
        "hop_s": statistics.hop_s,
        "window_s": fingerprinter.window_s,
        "annoy_trees": DEFAULT_TREES,
        "annoy_seed": 0,
    }
    songs = [(n, distractor_track(n, int(length), statistics.hop_s)) for n, length in enumerate(lengths)]
    content = Content(songs=songs, song_starts=starts, cells=cells, codes=codes, vectors=None, codebook=codebook)
    shutil.rmtree(options.database, ignore_errors=True)
    write_database(options.database, header, content, None)
    if not options.keep:
        shutil.rmtree(work)
    return {
        "songs": options.songs,
        "fingerprints": int(starts[-1]),
        "train_cpu_s": round(trained_s - began_s, 1),
        "encode_cpu_s_here": round(encoded_s - trained_s, 1),
        "write_cpu_s": round(time.process_time() - encoded_s, 1),
    }


def train_on_distractors(options: argparse.Namespace, work: Path, n_cells: int) -> Codebook:
    """Return a codebook trained on songs of another seed, or the shipped one where its cells are as many."""
    shipped = load_codebook(Fingerprinter.from_model().folder.path)
    if (n_cells, options.code_bytes, options.code_kind) == (SHIPPED_N_CELLS, shipped.n_subspaces, shipped.kind):
        return shipped
    folder = work / f"codebook-{n_cells}-{options.code_bytes}-{options.code_kind}"
    if not folder.is_dir():
        n_wanted = max(MIN_POINTS_PER_CELL * n_cells, 65_536)
        n_songs = round(n_wanted * SongStatistics.load().hop_s / options.mean_duration_s * 1.05)
        songs = list(synthesize_songs(SongStatistics.load(), shipped, n_songs, seed=options.seed + 1_000_003))
        rows = np.concatenate([song[song.any(axis=1)] for song in songs])
        codebook = train_codebook(rows[:n_wanted], n_cells, n_subspaces=options.code_bytes, kind=options.code_kind)
        temporary = folder.with_suffix(".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        save_codebook(with_smoothing(codebook, songs), temporary)
        temporary.rename(folder)
    return replace(load_codebook(folder), cohort=shipped.cohort)


def encode_all(
    options: argparse.Namespace, work: Path, codebook: Codebook
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return every song's length, and cells and codes in song order, as far as possible from an earlier run."""
    folder = work / f"{codebook.n_cells}-{codebook.n_subspaces}-{codebook.kind}-{options.tried}-{options.seed}"
    folder.mkdir(exist_ok=True)
    parts = {start: folder / f"{start:08}.npz" for start in range(0, options.songs, SONGS_AT_ONCE)}
    missing = [(start, path) for start, path in parts.items() if not path.is_file()]
    share_out(_encode_part, missing, _load, codebook, options, jobs=options.jobs)
    loaded = []
    for path in parts.values():
        with np.load(path, allow_pickle=False) as stored:
            loaded.append([stored[f"arr_{number}"] for number in range(3)])
    lengths, cells, codes = (np.concatenate(column) for column in zip(*loaded, strict=True))
    return lengths, cells, codes


def _load(codebook: Codebook, options: argparse.Namespace) -> _State:
    return SongStatistics.load(), load_codebook(Fingerprinter.from_model().folder.path), codebook, options


def _encode_part(state: _State, part: tuple[int, Path]) -> None:
    (statistics, shipped, codebook, options), (start, path) = state, part
    n, mean_s = min(SONGS_AT_ONCE, options.songs - start), options.mean_duration_s
    songs = list(synthesize_songs(statistics, shipped, n, seed=options.seed, first=start, mean_duration_s=mean_s))
    rows = np.concatenate(songs)
    cells, codes = codebook.quantize(rows, options.tried)
    cells[~rows.any(axis=1)] = codebook.n_cells
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as handle:
        np.savez(handle, np.array([len(song) for song in songs]), cells.astype(np.uint16), codes)
    temporary.rename(path)


if __name__ == "__main__":
    run_command(main)
