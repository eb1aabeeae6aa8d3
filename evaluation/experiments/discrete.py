"""Learned bits in buckets beside PQ cells: how much is scanned for which rank-1.

    python -m evaluation.experiments.discrete --help

The same fingerprints of the shipped model are stored as product-quantizer codes in Annoy cells, as the signs of their
own numbers, and as bits that runs of `nowplaying pretrain binary_codes` learned; the same noisy queries of dev music go
through the same voting, rescoring and ranking. Only which codes are looked at, and what they stand for, differs.
What is finished is kept, so that a run that was stopped goes on; another model or other queries need another folder.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.experiments.binary_index import BinaryCode, BinaryIndex
from evaluation.retrieval.conditions import Condition, paired_conditions
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import plan_known
from evaluation.retrieval.library import Library, build_library, grow_library
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio.corpus import read_corpus, recordings_if_any
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.plotting import pyplot, save_figure
from nowplaying_core.settings import check_given, require_counts
from nowplaying_core.statistics import cluster_bootstrap, paired_difference
from nowplaying_core.text import markdown_table
from ondevice_db.index.base import FingerprintIndex, SearchOptions
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase

PQ = "PQ, 12 bytes, Annoy cells"
SIGNS = "own signs, 96 bits"
RESULTS: Final = Path(__file__).with_name("discrete.json")
PLOT: Final = Path(__file__).resolve().parents[2] / "docs/pretraining/discrete.png"


@dataclass(frozen=True)
class Asked:
    """Queries under one condition, and what they were cut from."""

    condition: Condition
    embeddings: np.ndarray
    truth: np.ndarray
    tracks: list[str]


def main() -> None:
    """Measure what is missing, then write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--run", type=Path, action="append", default=[], help="folder of learned bits; may be repeated")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--distractors", type=int, default=0, help="synthetic distractors beside the corpus")
    parser.add_argument("--queries", type=int, default=2000, help="drawn for each condition")
    parser.add_argument("--first", type=int, help="ask only so many of them")
    parser.add_argument("--scanned", type=float, nargs="+", default=[0.5, 0.8, 1.6, 3.2, 100.0], help="per cent")
    parser.add_argument("--tables", default="1x12,4x12", help="tables x bits of their buckets, of codes nobody trained")
    parser.add_argument("--out", type=Path, required=True, help="folder of the database and of the results")
    parser.add_argument(
        "--publish", action="store_true", help="write discrete.json, which docs/pretraining/discrete.md is made from"
    )
    options = parser.parse_args()
    require_counts(options, "queries")
    options.out.mkdir(parents=True, exist_ok=True)
    embeddings = EmbeddingCache(options.model, options.cache_dir)
    given = {"model": embeddings.fingerprinter.embedding_space, "queries": options.queries}
    check_given(options.out, given, begun=True)
    library = indexed(embeddings, options)
    asked = questions(embeddings, library, options)
    systems = ways(library, options)
    points = [point for way in systems for point in measure(way, systems[way], library, asked, options)]
    result = summary(points, options.distractors)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)
        plot(points, PLOT)


def committed_table() -> str:
    """Return the table of the published result."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def indexed(embeddings: EmbeddingCache, options: argparse.Namespace) -> Library:
    """Return the corpus as a database, with synthetic distractors behind its own songs."""
    database = options.out / "discrete.npdb"
    shutil.rmtree(database, ignore_errors=True)
    music = [*recordings_if_any(options.corpus, "music", "train"), *read_corpus(options.corpus, "music", "dev")]
    files = {file.path: file for file in music}
    library = build_library(list(files.values()), embeddings, database)
    shipped = load_codebook(embeddings.fingerprinter.folder.path)
    grown = options.out / f"discrete-{options.distractors}.npdb"
    return grow_library(library, [], options.distractors, grown, shipped)


def questions(embeddings: EmbeddingCache, library: Library, options: argparse.Namespace) -> list[Asked]:
    """Return the noisy queries of dev music; the excerpts are the same under every condition."""
    kinds = ("simulated", "measured")
    plan = plan_known(options.corpus, options.cache_dir, kinds, n_queries=options.queries, seed=1)
    chosen = slice(options.first)
    truth = np.array([library.songs[query.path] for query in plan.queries])[chosen]
    tracks = [str(query.path) for query in plan.queries][chosen]
    whole = embeddings.without_overhang()
    return [
        Asked(condition, whole.queries(plan, condition)[chosen], truth, tracks) for condition in paired_conditions()
    ]


def ways(library: Library, options: argparse.Namespace) -> dict[str, FingerprintIndex]:
    """Return what is compared, by name."""
    pq = SongDatabase.open(library.database).index
    shapes = [tuple(int(number) for number in shape.split("x")) for shape in options.tables.split(",")]
    signs = BinaryCode.of_signs(library.vectors.shape[1])
    chosen = [(f"{SIGNS}, {n} x {bits}", signs, n, bits) for n, bits in shapes]
    for run in options.run:
        code, n, bits = learned_code(run)
        chosen.append((f"{run.name}, {code.n_bits} bits learned, {n} x {bits}", code, n, bits))
    if pq.cohort is None:
        message = f"{library.database}: expected a quantized database, found a flat one"
        raise ConfigError(message)
    found: dict[str, FingerprintIndex] = {PQ: pq}
    for name, code, n, bits in chosen:
        found[name] = BinaryIndex(code, library.vectors, n_tables=n, table_bits=bits, cohort=pq.cohort)
    return found


def learned_code(run: Path) -> tuple[BinaryCode, int, int]:
    """Return what a finished run of `nowplaying pretrain binary_codes` learned: a code, its tables and their bits."""
    from pretraining.encoder import load_encoder
    from pretraining.methods.binary_codes import STEEPNESS

    config, head = load_encoder(run)
    if config.method != "binary_codes":
        message = f"{run}: expected a run of binary_codes, found {config.method}"
        raise ConfigError(message)
    bits = head.get_layer("bits")
    directions, offsets, meanings = (weight.numpy() for weight in (bits.directions, bits.offsets, bits.meanings))
    return BinaryCode(directions, offsets, meanings, steepness=STEEPNESS), config.bits.n_tables, config.bits.table_bits


class AsAsked(SearchOptions):
    """A search that scans ``min_scan`` codes and no more in a large database, as bits do: both scan what is asked."""

    __slots__ = ()

    def n_to_scan(self, n_fingerprints: int) -> float:  # noqa: ARG002 (the shipped search reads it)
        """Return ``min_scan``."""
        return float(self.min_scan)


def measure(
    name: str,
    index: FingerprintIndex,
    library: Library,
    asked: Sequence[Asked],
    options: argparse.Namespace,
) -> list[dict[str, Any]]:
    """Ask one index everything at each share of the database that is scanned, or read what was asked before."""
    matcher = Matcher(SongDatabase.open(library.database), index=index)
    n_stored = int(matcher.database.song_starts[-1])
    points = []
    for per_cent in options.scanned:
        file = kept_file(options.out, name, index, f"{options.distractors} {len(asked[0].truth)} {per_cent:g}")
        if not file.is_file():
            search = AsAsked(min_scan=max(1, round(per_cent / 100 * n_stored)))
            rows = [outcome(matcher, library.groups, item, search) for item in asked]
            # A code of the database has its cell beside it (docs/adr/0010).
            n_bytes = index.bytes_per_fingerprint if isinstance(index, BinaryIndex) else 12 + 2
            point = {"way": name, "asked_for_%": per_cent, "n_fingerprints": n_stored, "bytes": n_bytes}
            write_json(file, {**point, "conditions": rows})
        points.append(json.loads(file.read_text(encoding="utf-8")))
        print(name, per_cent, [f"{100 * np.mean(row['right']):.1f}" for row in points[-1]["conditions"]], flush=True)
    return points


def kept_file(out: Path, name: str, index: FingerprintIndex, asked: str) -> Path:
    """Return where a point is kept: a run of the same name that has learned other bits has another file."""
    words = f"{name} {index.code.digest} {asked}" if isinstance(index, BinaryIndex) else f"{name} {asked}"
    return out / f"{''.join(letter if letter.isalnum() else '-' for letter in words)}.json"


def outcome(matcher: Matcher, groups: np.ndarray, asked: Asked, search: SearchOptions) -> dict[str, Any]:
    """Return for each query whether the right song came first, and the mean share of the database that was scanned."""
    right, scanned = [], []
    for query, song in zip(asked.embeddings, asked.truth, strict=True):
        match = matcher.match(query, options=search)
        right.append(bool(match.candidates) and groups[match.candidates[0].song_index] == groups[song])
        scanned.append(match.n_scanned)
    return {
        "condition": asked.condition.name,
        "right": [int(one) for one in right],
        "tracks": asked.tracks,
        "scanned": float(np.mean(scanned)) / int(matcher.database.song_starts[-1]),
    }


def summary(points: Sequence[dict[str, Any]], n_distractors: int) -> dict[str, Any]:
    """Return what is published of the points: rates, with an interval or with their difference to PQ's."""
    first = {point["asked_for_%"]: point for point in points if point["way"] == PQ}
    rows = []
    for point in points:
        beside = first.get(point["asked_for_%"], point)["conditions"]
        found = {
            row["condition"]: rate(row, None if other is row else other)
            for row, other in zip(point["conditions"], beside, strict=True)
        }
        scanned = float(np.mean([row["scanned"] for row in point["conditions"]]))
        rows.append({"way": point["way"], "bytes": point["bytes"], "scanned": scanned, "conditions": found})
    return {
        "n_queries": len(points[0]["conditions"][0]["right"]),
        "n_fingerprints": points[0]["n_fingerprints"],
        "n_distractors": n_distractors,
        "rows": rows,
    }


def rate(row: dict[str, Any], beside: dict[str, Any] | None) -> dict[str, float]:
    """Return a rate with its interval, or with its difference to another way's and the interval of that."""
    right = np.array(row["right"], np.float64)
    if beside is None:
        low, high = cluster_bootstrap(right, row["tracks"], np.random.default_rng(0)).bounds
        return {"rate": float(right.mean()), "low": low, "high": high}
    apart = paired_difference(right, np.array(beside["right"], np.float64), row["tracks"], np.random.default_rng(0))
    return {"rate": float(right.mean()), **{name: apart[name] for name in ("difference", "low", "high")}}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table of a :func:`summary`."""
    n_distractors = result["n_distractors"]
    text = (
        f"Rank-1 in % of {result['n_queries']} dev queries a condition among {result['n_fingerprints']} fingerprints"
        + (f", those of {n_distractors} synthetic distractors included" if n_distractors else "")
        + "; beside PQ also the difference to it at the same share asked for. Intervals are 95 %, bootstrap over "
        "tracks, paired where they are of a difference. Made by `python -m evaluation.experiments.discrete`.\n\n"
    )
    rows = [
        [row["way"], f"{row['bytes']:g}", f"{100 * row['scanned']:.2f}", *map(_cell, row["conditions"].values())]
        for row in result["rows"]
    ]
    return text + markdown_table(["way", "bytes", "scanned, %", *result["rows"][0]["conditions"]], rows) + "\n"


def _cell(found: Mapping[str, float]) -> str:
    per_cent = {name: 100 * value for name, value in found.items()}
    if "difference" in found:
        return "{rate:.1f} ({difference:+.1f}: {low:+.1f} to {high:+.1f})".format(**per_cent)
    return "{rate:.1f} ({low:.1f} to {high:.1f})".format(**per_cent)


def plot(points: Sequence[dict[str, Any]], path: Path) -> None:
    """Plot rank-1 against the share scanned, a panel for each condition, a line for each way."""
    plt = pyplot()
    n_panels = len(points[0]["conditions"])
    figure, panels = plt.subplots(1, n_panels, figsize=(4 * n_panels, 4))
    for number, panel in enumerate(np.atleast_1d(panels)):
        for way in dict.fromkeys(point["way"] for point in points):
            rows = [point["conditions"][number] for point in points if point["way"] == way]
            panel.plot(
                [100 * row["scanned"] for row in rows],
                [100 * np.mean(row["right"]) for row in rows],
                marker="o",
                label=way,
            )
        panel.set(title=points[0]["conditions"][number]["condition"], xlabel="scanned, %", xscale="log")
        shares = sorted({point["asked_for_%"] for point in points})
        panel.set_xticks(shares, [f"{share:g}" for share in shares])
        panel.minorticks_off()
    np.atleast_1d(panels)[0].set_ylabel("right song first, %")
    np.atleast_1d(panels)[-1].legend(fontsize="x-small", loc="lower right")
    figure.tight_layout()
    save_figure(figure, path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run_command(main)
