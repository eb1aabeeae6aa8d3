"""Rank-1 against bytes a second of music, over models, hops and code lengths.

    python -m evaluation.experiments.curve --help

What is finished is kept, so a run that was stopped goes on, and points can be added.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.rank1 import COLUMNS, rank1_by_length
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.command import run_command
from nowplaying_core.plotting import pyplot, save_figure
from nowplaying_core.statistics import wilson
from nowplaying_core.text import markdown_table
from ondevice_db.index.train_codebook import SHIPPED_HOP_S, SHIPPED_N_CELLS, train_codebook

RESULTS: Final = Path(__file__).with_name("curve.json")
PLOT: Final = Path(__file__).resolve().parents[2] / "docs/curve.png"


def main() -> None:
    """Measure what is missing, then show the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, action="append", required=True, help="model folder; may be repeated")
    parser.add_argument("--hops", type=float, nargs="+", default=[1.0, 0.5], help="seconds between references")
    parser.add_argument("--query-hop", type=float, help="seconds between a query's; by default the model's")
    parser.add_argument("--bytes", type=int, nargs="+", default=[6, 8, 12, 16, 24], help="of a fingerprint's code")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=600, help="a point")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--publish", action="store_true", help="write curve.json, which docs/curve.md is made from")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for model in options.model:
        for hop_s in options.hops:
            measure(model, hop_s, options)
    points = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(options.out.glob("*.json"))]
    print(to_markdown(points))
    if options.publish:
        write_json(RESULTS, points)
        plot(points, PLOT)


def committed_table() -> str:
    """Return the table of the published points."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def measure(model: Path, hop_s: float, options: argparse.Namespace) -> None:
    """Measure one model with one hop at all code lengths that divide its dimensions."""
    embeddings = EmbeddingCache(
        model,
        options.cache_dir,
        reference_hop_s=hop_s,
        query_hop_s=options.query_hop,
        jobs=options.jobs,
    ).without_overhang()
    fingerprinter = embeddings.fingerprinter
    files = {n: options.out / f"{fingerprinter.embedding_space}-{hop_s:g}-{n}.json" for n in options.bytes}
    missing = [n for n, file in files.items() if fingerprinter.dim % n == 0 and not file.is_file()]
    if not missing:
        return
    music = [file.path for file in read_corpus(options.corpus, "music", "train")]
    trained = np.concatenate(embeddings.references(music))
    thinned = trained[trained.any(axis=1)][:: max(1, round(SHIPPED_HOP_S / hop_s))]
    for n_bytes in missing:
        counts = rank1_by_length(
            embeddings,
            options.corpus,
            options.cache_dir,
            codebook=train_codebook(thinned, SHIPPED_N_CELLS, n_subspaces=n_bytes),
            n_queries=options.queries,
            jobs=options.jobs,
        )
        point = {"model": fingerprinter.name, "window_s": fingerprinter.window_s, "dim": fingerprinter.dim}
        write_json(files[n_bytes], {**point, "hop_s": hop_s, "bytes": n_bytes, "rank1": counts})


def to_markdown(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the table; every figure is taken from the points."""
    names = [condition.name for condition in COLUMNS]
    n = next(iter(points[0]["rank1"].values()))["n"] if points else 0
    low, high = wilson(round(0.9 * n), n).bounds
    lines = [
        f"Rank-1 in %, {n} dev queries a point, through codes, Annoy and mu-law, codebooks trained on the train split, "
        "query windows within the query; "
        f"90 % has an interval of {100 * low:.1f} to {100 * high:.1f} %. Bytes are those of the codes; the database "
        "adds two for the cell of each fingerprint. Made by `python -m evaluation.experiments.curve`.",
        "",
    ]
    rows = []
    for point in sorted(points, key=lambda one: (one["model"], one["bytes"] / one["hop_s"], one["hop_s"])):
        rates = {name: f"{100 * cell['count'] / cell['n']:.1f}" for name, cell in point["rank1"].items()}
        space = [f"{point['hop_s']:g}", str(point["bytes"]), f"{point['bytes'] / point['hop_s']:.3g}"]
        cells = [point["model"], f"{point['window_s']:.3g}", *space, *(rates.get(name, "") for name in names)]
        rows.append(cells)
    headings = ["model", "window, s", "hop, s", "bytes a code", "bytes/s", *names]
    return "\n".join([*lines, markdown_table(headings, rows)]) + "\n"


def plot(points: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot rank-1 against bytes a second: a row for each condition, a column for each length."""
    plt = pyplot()

    rooms = list(dict.fromkeys(condition.room for condition in COLUMNS))
    lengths_s = list(dict.fromkeys(condition.length_s for condition in COLUMNS))
    figure, panels = plt.subplots(len(rooms), len(lengths_s), figsize=(14, 6), sharex=True, sharey="row")
    series = sorted({(point["model"], point["hop_s"]) for point in points})
    for condition in COLUMNS:
        panel = panels[rooms.index(condition.room)][lengths_s.index(condition.length_s)]
        for number, (model, hop_s) in enumerate(series):
            chosen = sorted((p for p in points if (p["model"], p["hop_s"]) == (model, hop_s)), key=lambda p: p["bytes"])
            cells = [(p["bytes"] / hop_s, p["rank1"][condition.name]) for p in chosen if condition.name in p["rank1"]]
            found = [100 * cell["count"] / cell["n"] for _, cell in cells]
            label = f"{model}, a reference every {hop_s:g} s"
            panel.plot([space for space, _ in cells], found, marker="o", color=f"C{number}", label=label)
        panel.set_title(condition.name, fontsize="medium")
        panel.grid(alpha=0.3)
    for panel in panels[-1]:
        panel.set_xlabel("bytes a second")
    for row in panels:
        row[0].set_ylabel("right song first, %")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize="small")
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    save_figure(figure, path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    run_command(main)
