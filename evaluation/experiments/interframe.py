"""Other codes of as many bytes: python -m evaluation.experiments.interframe --corpus C --cache-dir D --out F.

Every second fingerprint of a song is coded as it is now. Those between are predicted linearly from the two decoded
ones beside them, and a short code holds the rest. Or every fingerprint has a code of a residual quantizer, whose bytes
each name a whole vector: their sum is what is left over from the cell. Or references are smoothed by their decoded
neighbors (:mod:`evaluation.experiments.decoded_references`). All but the shipped codes are fitted to the songs of the
``train`` split; the queries are single fingerprints (2 s) of ``dev`` songs, compared with every decoded reference, and
with ``--matched`` answered by the matcher as well. The table has the bytes of code (the cell number, about 1.5 bytes,
comes on top of each code that has a cell), the mean squared error on ``dev`` songs, rank-1 with its interval, and the
paired difference from floats.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.decoded_references import matched_songs, smoothed_by_train
from evaluation.retrieval.conditions import Condition, paired_conditions
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.command import run_command
from nowplaying_core.errors import needs_extra
from nowplaying_core.statistics import paired_difference, rate_by_track
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.codebook_files import codebook_names, load_codebook
from ondevice_db.index.normalize import power_normalize
from ondevice_db.index.smoothing import beside, fit_prediction, predicted
from ondevice_db.store.store import SongDatabase

__all__ = ["interframe", "residual_coded"]

Rows = NDArray[np.float32]
_CHUNK = 200
_ROWS = 4_000
_DEFAULT_BYTES = 12
_BEAM = {"training": 4, "coding": 16}  # partial sums that are followed from one byte to the next


def main() -> None:
    """Measure all layouts of codes and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--matched", action="store_true", help="also through the matcher; half a minute a row")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    data = build_evaluation_set(options.model, options.corpus, options.cache_dir)
    folder = data.embeddings.fingerprinter.folder.path
    trained = {file.path for file in read_corpus(options.corpus, "music", "train")}
    starts, vectors = data.library.song_starts, data.library.vectors
    is_train = np.repeat([path in trained for path in data.library.paths], np.diff(starts))
    rows: list[dict[str, Any]] = []
    layouts: dict[str, Rows] = {"float": vectors}
    for n in (6, 8, 12, 16):
        codebook = load_codebook(folder, None if n == _DEFAULT_BYTES else codebook_names(n))
        layouts[f"{n} bytes each"] = codebook.decode(*codebook.quantize(vectors))
    layouts |= of_train_songs(vectors, is_train, load_codebook(folder))
    layouts |= {
        f"{name}, smoothed": smoothed_by_train(vectors, starts, is_train, decoded)
        for name, decoded in layouts.items()
        if name.startswith(f"{_DEFAULT_BYTES} bytes")
    }
    for even, odd in ((12, 6), (12, 8), (16, 8)):
        name = f"{even} bytes, then {odd} on a prediction"
        layouts[name], explained = interframe(vectors, starts, is_train, layouts[f"{even} bytes each"], odd)
        print(f"{name}: the prediction explains {100 * explained:.1f} % of the variance", flush=True)
    database = SongDatabase.open(data.library.database)
    sounding: NDArray[np.bool_] = np.any(vectors != 0, axis=1)
    short = [one for one in paired_conditions() if one.length_s == 2.0]  # one fingerprint
    for condition in short:
        queries = data.embeddings.without_overhang().queries(data.plans["known"], condition)

        def matched(decoded: Rows, queries: Rows = queries) -> NDArray[np.bool_]:
            audible = np.where(sounding[:, None], decoded, np.float32(0))
            songs = matched_songs(database, audible, list(queries), data.embeddings.query_hop_s)
            return is_right(data, songs)

        exact = right(data, queries[:, 0], vectors)
        exactly_matched = matched(vectors) if options.matched else exact
        for name, decoded in layouts.items():
            found = right(data, queries[:, 0], power_normalize(decoded))
            error = float(np.square(decoded - vectors)[~is_train].sum(axis=1).mean())
            rows.append({"layout": name, "squared_error": error, **score(data, condition, found, exact)})
            if options.matched:
                rows[-1]["matched"] = score(data, condition, matched(decoded), exactly_matched)
            print(rows[-1], flush=True)
    write_json(options.out, {"schema": "interframe/1", "model": str(options.model), "rows": rows})


def of_train_songs(vectors: Rows, is_train: NDArray[np.bool_], shipped: Codebook) -> dict[str, Rows]:
    """Return decoded vectors for product and residual quantizers of 8 and 12 bytes, trained alike, in shipped cells."""
    with needs_extra("train", "training codes"):
        import faiss
    cells = shipped.centroids[shipped.assign(vectors)]
    rest = np.asarray(vectors - cells, np.float32)
    learned = rest[is_train & vectors.any(axis=1)]
    return {
        f"{n} bytes each, {name}, of train songs": cells + coded(faiss, learned, rest, n)
        for n in (8, _DEFAULT_BYTES)
        for name, coded in (("product quantizer", _coded), ("residual quantizer", residual_coded))
    }


def residual_coded(faiss: Any, learned: Rows, rest: Rows, n_bytes: int) -> Rows:
    """Return vectors as sums of one of 256 vectors for each byte, found by a beam search."""
    quantizer = faiss.ResidualQuantizer(rest.shape[1], n_bytes, 8)
    quantizer.max_beam_size = _BEAM["training"]
    quantizer.train(learned)
    quantizer.max_beam_size = _BEAM["coding"]
    parts = (rest[at : at + _ROWS] for at in range(0, len(rest), _ROWS))
    return np.concatenate([quantizer.decode(quantizer.compute_codes(part)) for part in parts])


def interframe(
    vectors: Rows, starts: NDArray[np.int64], is_train: NDArray[np.bool_], decoded: Rows, n_bytes: int
) -> tuple[Rows, float]:
    """Replace every second decoded fingerprint by its prediction and a short code; say what the prediction explains."""
    with needs_extra("train", "training short codes"):
        import faiss
    positions = np.arange(len(vectors)) - np.repeat(starts[:-1], np.diff(starts))
    odd = positions % 2 == 1
    context = np.concatenate(beside(decoded, starts), axis=1)
    # Even ones are as good to learn from, since all were decoded.
    weights = fit_prediction(context[is_train], vectors[is_train])
    prediction = predicted(context[odd], weights)
    rest, learned = vectors[odd] - prediction, vectors[is_train] - predicted(context[is_train], weights)
    between = prediction + _coded(faiss, learned, rest, n_bytes)
    # Comparison favors what decodes to a short vector (power_normalize): both kinds get the same mean length.
    lengths = [np.linalg.norm(rows, axis=1).mean() for rows in (decoded[~odd & is_train], between[is_train[odd]])]
    result = decoded.copy()
    result[odd] = between * np.float32(lengths[0] / lengths[1])
    dev = ~is_train[odd]
    around = vectors[odd][dev] - vectors[odd][dev].mean(axis=0)
    return result, 1 - float(np.square(rest[dev]).sum() / np.square(around).sum())


def _coded(faiss: Any, learned: Rows, rest: Rows, n_bytes: int) -> Rows:
    """Return vectors as codes of so many bytes keep them, after a quantizer that others trained."""
    rotation = faiss.OPQMatrix(rest.shape[1], n_bytes)
    rotation.train(learned)
    quantizer = faiss.ProductQuantizer(rest.shape[1], n_bytes, 8)
    quantizer.train(rotation.apply(learned))
    kept: Rows = rotation.reverse_transform(quantizer.decode(quantizer.compute_codes(rotation.apply(rest))))
    return kept


def right(data: EvaluationSet, queries: Rows, references: Rows) -> NDArray[np.bool_]:
    """Return whether the nearest reference of each query is of its song, or of the same music."""
    songs = np.repeat(np.arange(len(data.library.song_starts) - 1), np.diff(data.library.song_starts))
    parts = (queries[at : at + _CHUNK] for at in range(0, len(queries), _CHUNK))
    found = np.concatenate([np.argmax(part @ references.T, axis=1) for part in parts])
    return is_right(data, songs[found])


def is_right(data: EvaluationSet, songs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each answer, -1 for none, is the same music as its query's song."""
    groups = np.append(data.library.groups, -1)
    same: NDArray[np.bool_] = groups[songs] == groups[data.true_songs]
    return same


def score(
    data: EvaluationSet, condition: Condition, found: NDArray[np.bool_], exact: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return rank-1 and its paired difference from float vectors."""
    tracks, rng = [str(query.path) for query in data.plans["known"].queries], np.random.default_rng(1)
    difference = paired_difference(found.astype(np.float64), exact.astype(np.float64), tracks, rng)
    return {"condition": condition.name, "rank1": rate_by_track(found, tracks, rng), "below_float": difference}


if __name__ == "__main__":
    run_command(main)
