"""Other ways to search the same vectors: python -m benchmarks.bench_search.

Fingerprints of real songs (the demo's, or those that ``benchmarks/fit_distractors.py --vectors`` keeps) stand among
those of synthetic distractors; queries are real, half way between two stored, with noise. For each way: bytes a
fingerprint, CPU time of building and of one query, and the recall of the exact answer, that is, how often the vector
with the largest inner product is found, first or among ten. Accuracy, whether the nearest vector is of the correct
song, is what ``nowplaying evaluate`` measures.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from annoy import AnnoyIndex

from benchmarks.bench_scale import machine
from benchmarks.bench_speed import DEMO
from evaluation.retrieval.distractors import SongStatistics, distractor_track, synthesize_songs
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import find_audio, load
from nowplaying_core.command import run_command
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.index.train_codebook import train_codebook
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.settings import FingerprintSettings
from ondevice_db.store.store import SongDatabase

N_RETURNED = 10
Search = Callable[[np.ndarray], np.ndarray]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Build every index, run every query, return the record, and add it to a history where one is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, help="of fit_distractors; by default those of the demo's recordings")
    parser.add_argument("--distractors", type=int, default=200, help="beside the real songs")
    parser.add_argument("--real-songs", type=int, default=100)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--noise", type=float, default=0.8)
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--out", type=Path, help="add the record to this file, such as benchmarks/search.json")
    options = parser.parse_args(arguments)
    songs, queries = material(options)
    vectors = np.concatenate(songs)
    sounding = np.flatnonzero(vectors.any(axis=1))
    exact = exact_answers(vectors, queries)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, build in ways(songs, vectors, sounding, Path(folder), options).items():
            began_s = time.process_time()
            search, n_bytes = build()
            built_s = time.process_time() - began_s
            began_s = time.process_time()
            found = np.stack([search(query[None])[0] for query in queries])
            query_ms = 1000 * (time.process_time() - began_s) / len(queries)
            rows.append(
                {
                    "way": name,
                    "bytes_per_fingerprint": round(n_bytes / len(sounding), 1),
                    "build_cpu_s": round(built_s, 1),
                    "query_cpu_ms": round(query_ms, 3),
                    "nearest_first": round(float((found[:, 0] == exact).mean()), 4),
                    "nearest_among_10": round(float((found == exact[:, None]).any(axis=1).mean()), 4),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    record = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        **machine(),
        "n_fingerprints": len(sounding),
        "real_songs": len(songs) - options.distractors,
        "distractors": options.distractors,
        "queries": len(queries),
        "noise": options.noise,
        "ways": rows,
    }
    if options.out:
        history = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else []
        options.out.write_text(json.dumps([*history, record], indent=1) + "\n", encoding="utf-8")
    return record


def material(options: argparse.Namespace) -> tuple[list[np.ndarray], np.ndarray]:
    """Return real songs followed by distractors, and queries from the real ones."""
    fingerprinter = Fingerprinter.from_model()
    if options.vectors:
        with np.load(options.vectors, allow_pickle=False) as stored:
            real = np.split(stored["rows"], np.cumsum(stored["counts"])[:-1])[: options.real_songs]
    else:
        paths = find_audio([DEMO])[: options.real_songs]
        real = [fingerprinter.embed(load(path), fingerprinter.reference_hop_s) for path in paths]
    shipped = load_codebook(fingerprinter.folder.path)
    synthetic = list(synthesize_songs(SongStatistics.load(), shipped, options.distractors, seed=99))
    rng = np.random.default_rng(4)
    between = np.concatenate([song[:-1] + song[1:] for song in real if len(song) > 1])
    between = l2_normalize(between[np.linalg.norm(between, axis=1) > 1])
    chosen = between[rng.choice(len(between), min(options.queries, len(between)), replace=False)]
    noise = options.noise * rng.standard_normal(chosen.shape) / np.sqrt(chosen.shape[1])
    return [*real, *synthetic], l2_normalize(chosen + noise)


def exact_answers(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the vector with the largest inner product for each query."""
    best, value = np.zeros(len(queries), np.int64), np.full(len(queries), -np.inf)
    for start in range(0, len(vectors), 100_000):
        similarities = queries @ vectors[start : start + 100_000].T
        here = similarities.argmax(axis=1)
        top = similarities[np.arange(len(queries)), here]
        best = np.where(top > value, start + here, best)
        value = np.maximum(top, value)
    return best


def ways(
    songs: list[np.ndarray], vectors: np.ndarray, sounding: np.ndarray, folder: Path, options: argparse.Namespace
) -> dict[str, Callable[[], tuple[Search, int]]]:
    """Return how to build each index; what is built returns ten numbers of vectors for a query, and its bytes."""
    return {
        "exact, floats": lambda: (lambda query: top(query @ vectors.T), vectors.nbytes),
        "this database, 12 bytes": lambda: ours(songs, folder, None, options),
        "this database, 2 % scanned": lambda: ours(songs, folder, 0.02, options),
        "Annoy, floats, 20 trees": lambda: annoy(vectors, sounding, folder, "angular"),
        "Annoy, 96 sign bits, Hamming, 20 trees": lambda: annoy(vectors, sounding, folder, "hamming"),
        "FAISS IVFPQ, 12 bytes, 2 % scanned": lambda: faiss_ivfpq(vectors, sounding, folder, options),
    }


def ours(songs: list[np.ndarray], folder: Path, share: float | None, options: argparse.Namespace) -> tuple[Search, int]:
    """Build this project's database, without metadata worth the name."""
    path = folder / "ours.npdb"
    model = Fingerprinter.from_model()
    if not path.is_dir():
        rows = np.concatenate(songs)
        rows = rows[rows.any(axis=1)]
        codebook = train_codebook(rows[:: max(1, len(rows) // 200_000)], options.cells)
        settings = FingerprintSettings(
            embedding_space=model.embedding_space,
            encoder=model.name,
            dim=model.dim,
            hop_s=model.reference_hop_s,
            window_s=model.window_s,
        )
        with DatabaseWriter(path, settings=settings, codebook=codebook) as writer:
            for number, song in enumerate(songs):
                writer.add(distractor_track(number, len(song), 1.0), song)
            writer.finish()
    opened = SongDatabase.open(path)
    search = SearchOptions() if share is None else SearchOptions(n_probe=max(1, round(share * options.cells)))
    return lambda query: opened.index.nearest(query, N_RETURNED, search).fingerprints, opened.info()["total_bytes"]


def annoy(
    vectors: np.ndarray, sounding: np.ndarray, folder: Path, metric: Literal["angular", "hamming"]
) -> tuple[Search, int]:
    """Build Annoy over the floats themselves or over their signs, as one would without a quantizer."""
    data = vectors if metric == "angular" else (vectors > 0).astype(np.int64)
    index = AnnoyIndex(vectors.shape[1], metric)
    index.set_seed(0)
    for number, row in enumerate(data[sounding]):
        index.add_item(number, row)
    index.build(20, n_jobs=1)
    path = folder / f"{metric}.ann"
    index.save(str(path))

    def search(query: np.ndarray) -> np.ndarray:
        vector = query[0] if metric == "angular" else (query[0] > 0).astype(np.int64)
        found = index.get_nns_by_vector(vector, N_RETURNED, 2000)
        return np.array([[*sounding[found], *[-1] * (N_RETURNED - len(found))]])

    return search, path.stat().st_size


def faiss_ivfpq(
    vectors: np.ndarray, sounding: np.ndarray, folder: Path, options: argparse.Namespace
) -> tuple[Search, int]:
    """Build FAISS's own inverted file with product quantization of residuals, cells and bytes as ours."""
    import faiss

    faiss.omp_set_num_threads(1)
    dim = vectors.shape[1]
    index = faiss.index_factory(dim, f"OPQ12_{dim},IVF{options.cells},PQ12", faiss.METRIC_INNER_PRODUCT)
    rows = np.ascontiguousarray(vectors[sounding])
    index.train(rows[:: max(1, len(rows) // 200_000)])
    index.add(rows)
    faiss.extract_index_ivf(index).nprobe = max(1, round(0.02 * options.cells))
    path = folder / "ivfpq.faiss"
    faiss.write_index(index, str(path))

    def search(query: np.ndarray) -> np.ndarray:
        found = index.search(query, N_RETURNED)[1]
        return np.where(found >= 0, sounding[np.maximum(found, 0)], -1)

    return search, path.stat().st_size


def top(similarities: np.ndarray) -> np.ndarray:
    """Return the columns of the ten largest values of the only row."""
    best = np.argpartition(-similarities[0], N_RETURNED)[:N_RETURNED]
    return best[np.argsort(-similarities[0, best])][None]


if __name__ == "__main__":
    run_command(main)
