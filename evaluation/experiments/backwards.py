"""Songs that are played backwards: python -m evaluation.experiments.backwards --corpus CORPUS --cache-dir C --out FILE.

A query that is named is asked once more turned round; where it fits the song better so, the song is played backwards,
which is no answer (:mod:`ondevice_db.match.direction`). Queries of ``dev`` music are asked among the music of ``train``
and ``dev``, as they are and from recordings that were turned round as a whole: how many are named without this second
look and with it, and how many would be with other least leads, for the tracks of each half apart. Each query is judged
by the acceptance model of the other half, from the model's ``metrics.json``.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.experiments.recognizers import recognizers_of_halves
from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import load_long_enough
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.queries import Query
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.command import run_command
from nowplaying_core.statistics import rate_by_track
from nowplaying_core.text import markdown_table, with_interval
from ondevice_db.match.direction import LEAST_LEAD
from ondevice_db.recognizer import Recognizer

__all__ = ["Asked", "committed_table", "main", "to_markdown", "turned_round"]

RESULTS: Final = "evaluation/experiments/backwards.json"
_LEADS: Final = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
_CONDITIONS: Final = (
    Condition(snr_db=5.0),
    Condition(snr_db=0.0, room="simulated"),
    Condition(length_s=3.0, snr_db=5.0),
    Condition(length_s=3.0, snr_db=0.0, room="simulated"),
)

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of queries of one kind.

    Attributes
    ----------
    named : ndarray of bool, shape (n,)
        Rightly, without the second look.
    leads : ndarray of float64, shape (n,)
        By how much the query turned round fits the song better; minus infinity where there is none.
    tracks : sequence of str, length n
    halves : ndarray of int64, 0 or 1, shape (n,)
        Of the tracks.
    """

    named: NDArray[np.bool_]
    leads: NDArray[np.float64]
    tracks: Sequence[str]
    halves: NDArray[np.int64]

    def to_dict(self, seed: int) -> dict[str, Any]:
        """Return rates with intervals over tracks, and what other least leads would refuse, by half of the tracks."""
        refused = {lead: self.named & (self.leads > lead) for lead in (*_LEADS, LEAST_LEAD)}
        rates = {"named": self.named, "kept": self.named & ~refused[LEAST_LEAD], "refused": refused[LEAST_LEAD]}
        return {
            "n": len(self.tracks),
            **{name: rate_by_track(one, self.tracks, np.random.default_rng(seed)) for name, one in rates.items()},
            "refused_by_lead": [
                {"lead": lead, "halves": [int(refused[lead][self.halves == half].sum()) for half in (0, 1)]}
                for lead in _LEADS
            ],
        }


def turned_round(query: Query, samples: Samples, condition: Condition) -> tuple[Query, Samples]:
    """Return the same excerpt of the recording from its last sample to its first, so that rooms ring after it.

    Parameters
    ----------
    query : Query
    samples : ndarray of float32, shape (n,)
        The whole recording.
    condition : Condition
    """
    end = round(query.start_s * SAMPLE_RATE_HZ) + round(condition.length_s * SAMPLE_RATE_HZ)
    return replace(query, start_s=max(samples.size - end, 0) / SAMPLE_RATE_HZ), samples[::-1]


def ask(
    data: EvaluationSet, recognizers: Sequence[Recognizer], condition: Condition, n: int, seed: int, *, backwards: bool
) -> Asked:
    """Ask the first queries of known music; the first recognizer has the acceptance that was fitted to half 0."""
    plan, groups = data.plans["known"], data.library.groups
    queries, halves = plan.queries[:n], data.halves("known", seed)[:n]
    rows = []
    for query, song, half in zip(queries, data.true_songs[:n].tolist(), halves.tolist(), strict=True):
        samples = load_long_enough(query.path, data.embeddings.folder)
        played, whole = turned_round(query, samples, condition) if backwards else (query, samples)
        sound = compose(played, whole, condition, plan)
        found = recognizers[1 - half].recognize(sound, at_s=0.0).query
        best = None if found is None else found.match.best
        is_right = best is not None and bool(groups[best.song_index] == groups[song])
        rows.append((is_right, -np.inf if found is None else found.turned_lead))
    named, leads = zip(*rows, strict=True)
    return Asked(np.array(named), np.array(leads), [str(query.path) for query in queries], halves)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=576, help="to ask in each condition")
    parser.add_argument("--seed", type=int, default=1, help="as nowplaying evaluate retrieval had it")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    data = build_evaluation_set(
        options.model, options.corpus, options.cache_dir, n_sounds=1, seed=options.seed, room_kinds=("simulated",)
    )
    recognizers, rows = recognizers_of_halves(data), []
    for condition in _CONDITIONS:
        row: dict[str, Any] = {"condition": condition.name}
        for name in ("forwards", "backwards"):
            asked = ask(data, recognizers, condition, options.queries, options.seed, backwards=name == "backwards")
            row[name] = asked.to_dict(options.seed)
        rows.append(row)
        print(json.dumps(row), flush=True)
    n_songs = int(data.library.groups.size)
    result = {
        "schema": "backwards/1",
        "model": data.embeddings.fingerprinter.name,
        "n_songs": n_songs,
        "least_lead": LEAST_LEAD,
    }
    write_json(options.out, result | {"rows": rows})
    print(to_markdown(result | {"rows": rows}))


def to_markdown(result: dict[str, Any]) -> str:
    """Return two tables: what is named without the second look and with it, and what other least leads would refuse."""
    rows, leads = [], []
    for row in result["rows"]:
        forwards, backwards = row["forwards"], row["backwards"]
        shares = [forwards["named"], forwards["kept"], forwards["refused"], backwards["named"], backwards["kept"]]
        rows.append([row["condition"], f"{forwards['n']}", *(_share(one) for one in shares)])
        for name in ("forwards", "backwards"):
            counts = [" + ".join(str(one) for one in cell["halves"]) for cell in row[name]["refused_by_lead"]]
            leads.append([row["condition"], name, f"{row[name]['named']['count']}", *counts])
    first = ["query", "queries", "named without, %", "with, %", "lost, %"]
    return "\n\n".join(
        [
            markdown_table([*first, "backwards, named without, %", "with, %"], rows),
            markdown_table(["query", "played", "named", *(f"{lead:g}" for lead in _LEADS)], leads),
        ]
    )


def _share(rate: dict[str, Any]) -> str:
    low, high = rate["bootstrap"]
    return with_interval({**rate, "low": low, "high": high}, of="rate", scale=100)


def committed_table() -> str:
    """Return the tables of the published result."""
    return to_markdown(committed(RESULTS))


if __name__ == "__main__":
    run_command(main)
