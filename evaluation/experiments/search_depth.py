"""How deep to search a large library: python -m evaluation.experiments.search_depth --corpus CORPUS --cache-dir C ...

Known queries are asked of the corpus among 30,000 synthetic distractors (evaluation/retrieval/distractors.py), with
the shipped search (:meth:`~ondevice_db.index.base.SearchOptions.n_to_scan`) and with others: fewer and more codes
scanned, more neighbors in the offset histogram and more alignments rescored, and exhaustive search through float
vectors. What exhaustive search finds and the shipped one does not is what codes and cells cost; what neither finds is
too alike. Acceptance is judged by the model of the other half of the tracks, from the model's ``metrics.json``, with
the shipped term for large libraries.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.experiments.recognizers import acceptances_of_halves
from evaluation.retrieval.calibration import CrossFit
from evaluation.retrieval.conditions import Condition, paired_conditions
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.library import Library, grow_library
from evaluation.retrieval.matching import System, match_all
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.command import run_command
from nowplaying_core.statistics import paired_difference, rate_by_track
from nowplaying_core.text import markdown_table, with_interval
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import SIZE_TERMS
from ondevice_db.store.store import SongDatabase

__all__ = ["SEARCHES", "committed_table", "main", "to_markdown"]

RESULTS: Final = "evaluation/experiments/search_depth.json"
SHIPPED: Final = "shipped"
EXACT: Final = "exhaustive, float"
_PLAIN: Final = SearchOptions()
_WIDE: Final = replace(_PLAIN, n_neighbors=4 * _PLAIN.n_neighbors, n_candidates=4 * _PLAIN.n_candidates)
# In a database of millions the shipped search scans up to four times min_scan codes, and min_scan at least.
SEARCHES: Final[Mapping[str, SearchOptions]] = {
    SHIPPED: _PLAIN,
    "50,000 codes": replace(_PLAIN, min_scan=_PLAIN.min_scan // 4),
    "800,000 codes": replace(_PLAIN, min_scan=16 * _PLAIN.min_scan),
    "4 times the neighbors and alignments": _WIDE,
    "50,000 codes, 4 times the neighbors and alignments": replace(_WIDE, min_scan=_PLAIN.min_scan // 4),
}


def judges(data: EvaluationSet, library: Library) -> CrossFit:
    """Return the acceptance models of the halves with the shipped term by size, for a library's size."""
    shipped = acceptance_of(data.embeddings.fingerprinter)
    terms = {name: getattr(shipped, name) for name in SIZE_TERMS}
    first, second = (replace(half, **terms) for half in acceptances_of_halves(data))
    return CrossFit((first, second), SongDatabase.open(library.database).manifest.n_fingerprints)


def measured(
    data: EvaluationSet,
    library: Library,
    conditions: Sequence[Condition],
    *,
    every: int,
    exact_every: int,
    jobs: int,
) -> list[dict[str, Any]]:
    """Ask every nth query with each search; exhaustively fewer of them, or none where ``exact_every`` is 0."""
    crossfit, rows = judges(data, library), []
    for condition in conditions:
        queries = data.embeddings.queries(data.plans["known"], condition)
        halves, first_s = data.halves("known", 1), data.embeddings.first_s(condition)
        shipped: dict[str, NDArray[np.bool_]] = {}
        for name in (*SEARCHES, *([EXACT] if exact_every else [])):
            chosen = np.arange(len(queries))[:: exact_every if name == EXACT else every]
            system = System(
                library=library,
                search="exact" if name == EXACT else "pq",
                hop_s=data.embeddings.query_hop_s,
                options=SEARCHES.get(name, SearchOptions()),
            )
            began = time.process_time()
            found = match_all(system, queries[chosen], first_s=first_s, jobs=jobs)
            spent_s = time.process_time() - began
            _, accepted = crossfit.judge(found.features, halves[chosen])
            is_right = {"rank1": found.correct(library, data.true_songs[chosen])}
            is_right["accepted"] = is_right["rank1"] & accepted
            tracks = [str(data.plans["known"].queries[row].path) for row in chosen.tolist()]
            row: dict[str, Any] = {"condition": condition.name, "search": name, "n": len(tracks)}
            row["cpu_ms"] = 1e3 * spent_s / len(tracks) if jobs == 1 else None
            for figure, right in is_right.items():
                row[figure] = rate_by_track(right, tracks, np.random.default_rng(1))
                if name == SHIPPED:
                    shipped[figure] = right
                    continue
                same = shipped[figure][np.searchsorted(np.arange(len(queries))[::every], chosen)]
                row[f"{figure}_difference"] = paired_difference(
                    right.astype(np.float64), same.astype(np.float64), tracks, np.random.default_rng(1)
                )
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=2000, help="that the known ones are chosen from")
    parser.add_argument("--distractors", type=int, default=30_000)
    parser.add_argument("--every", type=int, default=4, help="take every nth query")
    parser.add_argument(
        "--exact-every", type=int, default=8, help="for exhaustive search; a multiple of --every, or 0 for none"
    )
    names = [one.name for one in paired_conditions()]
    parser.add_argument("--condition", choices=names, action="append", default=[], help="all of them by default")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    if options.exact_every % options.every:
        parser.error(f"--exact-every: expected a multiple of --every, {options.every}, found {options.exact_every}")
    conditions = [one for one in paired_conditions() if not options.condition or one.name in options.condition]
    data = build_evaluation_set(
        options.model,
        options.corpus,
        options.cache_dir,
        n_queries=options.queries,
        n_unknown=1,
        n_sounds=1,
        room_kinds=("simulated",),
        jobs=options.jobs,
    )
    codebook = load_codebook(data.embeddings.fingerprinter.folder.path)
    with tempfile.TemporaryDirectory(dir=options.cache_dir) as folder:
        library = grow_library(data.library, [], options.distractors, Path(folder) / "grown.npdb", codebook)
        print("library built", flush=True)
        result = {
            "schema": "search_depth/1",
            "model": data.embeddings.fingerprinter.name,
            "n_songs": library.song_starts.size - 1,
            "n_fingerprints": len(library.vectors),
            "rows": measured(
                data, library, conditions, every=options.every, exact_every=options.exact_every, jobs=options.jobs
            ),
        }
    write_json(options.out, result)
    print(to_markdown(result))


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return a row for each condition and search, with its paired difference to the shipped search."""
    rows = []
    for row in result["rows"]:
        shares = [f"{100 * row[figure]['rate']:.1f}" for figure in ("rank1", "accepted")]
        differences = [row.get(f"{figure}_difference") for figure in ("rank1", "accepted")]
        gains = ["" if one is None else with_interval(one, of="difference", scale=100, sign="+") for one in differences]
        cpu = "" if row["cpu_ms"] is None else f"{row['cpu_ms']:.0f}"
        rows.append([row["condition"], row["search"], str(row["n"]), shares[0], gains[0], shares[1], gains[1], cpu])
    heads = ["query", "search", "queries", "rank-1 %", "less shipped", "accepted and right %", "less shipped", "CPU ms"]
    return markdown_table(heads, rows)


def committed_table() -> str:
    """Return the table of the published result."""
    return to_markdown(committed(RESULTS))


if __name__ == "__main__":
    run_command(main)
