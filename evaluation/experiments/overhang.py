"""Windows beyond a short query's ends: python -m evaluation.experiments.overhang --model M --seconds S --below S ...

Every query is asked with windows that stay within it, and short ones again with windows that overhang them, silent
there; see :mod:`fingerprinter.overhang`. Answers are kept in a folder, so that a stopped run goes on. Acceptance models
for each way, fitted to one half of the tracks, judge the other half. Queries of eight seconds, the first half of them,
belong to both ways: an acceptance model is for queries of every length. ``--enter`` writes the overhang, and the
acceptance model fitted to all tracks with it, in the model's manifest.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.experiments.answers_by_size import SOUND_CONDITIONS, Answers
from evaluation.retrieval.calibration import BOTH_HALVES, CalibrationData
from evaluation.retrieval.conditions import CLEAN, LONGEST_S, Condition
from evaluation.retrieval.evaluation_set import EvaluationSet, build_evaluation_set
from evaluation.retrieval.matching import System, match_all
from evaluation.retrieval.report import percent
from fingerprinter.overhang import QueryOverhang
from nowplaying_core.artifacts import write_json
from nowplaying_core.command import run_command
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.statistics import paired_difference
from nowplaying_core.text import markdown_table, with_interval

__all__ = ["compare", "main", "questions", "to_markdown"]

_SEED: Final = 1
_NOISY: Final = (Condition(snr_db=5.0), Condition(snr_db=0.0, room="simulated"))
_TRAIN_SOUNDS: Final = ("train speech", "train noise")
_Question = tuple[str, Condition, float]


def main(arguments: list[str] | None = None) -> None:
    """Ask what was not asked yet, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seconds", type=float, required=True, help="beyond each end of a query")
    parser.add_argument("--below", type=float, required=True, help="seconds from which on a query has no overhang")
    parser.add_argument("--lengths", type=float, nargs="+", default=[1.0, 2.0], help="of the short queries, seconds")
    parser.add_argument("--queries", type=int, default=2000, help="of known music, a condition")
    parser.add_argument("--sounds", type=int, default=500, help="of unknown music, of speech and of noise")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--enter", action="store_true", help="write overhang and acceptance in the manifest")
    parser.add_argument("--out", type=Path, required=True, help="folder of the answers and of overhang.json")
    options = parser.parse_args(arguments)
    overhang = QueryOverhang(query_overhang_s=options.seconds, query_overhang_below_s=options.below)
    options.out.mkdir(parents=True, exist_ok=True)
    data = build_evaluation_set(
        options.model,
        options.corpus,
        options.cache_dir,
        n_queries=options.queries,
        n_unknown=options.sounds,
        n_sounds=options.sounds,
        seed=_SEED,
        room_kinds={condition.room for condition in _NOISY},
        jobs=options.jobs,
    )
    answers = {}
    for plan, condition, beyond_s in questions(data, overhang, options.lengths):
        file = options.out / f"{plan}, {condition.name}, {beyond_s:g} s beyond.npz"
        if not file.is_file():
            _ask(data, plan, condition, beyond_s, options.jobs).save(file)
            print(file.stem, flush=True)
        answers[plan, condition, beyond_s] = Answers.load(file)
    result = {
        "schema": "overhang/1",
        "model": data.embeddings.fingerprinter.name,
        "overhang_s": options.seconds,
        "below_s": options.below,
        "rows": compare(data, answers, options.seconds),
    }
    write_json(options.out / "overhang.json", result)
    print(to_markdown(result))
    if options.enter:
        path = ModelFolder.open(options.model, role="fingerprinter").path / "manifest.json"
        acceptance = _fitted_to(answers, options.seconds).fit().to_dict()
        manifest = json.loads(path.read_text(encoding="utf-8"))
        write_json(path, {**manifest, **asdict(overhang), "acceptance": acceptance})


def questions(data: EvaluationSet, overhang: QueryOverhang, lengths_s: Sequence[float]) -> Iterator[_Question]:
    """Yield each plan with each of its conditions and the seconds beyond the query's ends."""
    sizes = [*sorted(set(lengths_s)), LONGEST_S]
    noisy = [replace(condition, length_s=length_s) for length_s in sizes for condition in _NOISY]
    asked = [(plan, condition) for plan in ("known", "masked", "unknown") for condition in (*noisy, CLEAN)]
    asked += [(plan, condition) for plan in _TRAIN_SOUNDS for condition in SOUND_CONDITIONS]
    for plan, condition in asked:
        if plan == "masked" or plan in data.plans:
            for beyond_s in sorted({0.0, overhang.seconds_for(condition.length_s)}):
                yield plan, condition, beyond_s


def _ask(data: EvaluationSet, plan: str, condition: Condition, beyond_s: float, jobs: int) -> Answers:
    source = "known" if plan == "masked" else plan
    whole = data.plans[source]
    n = len(whole.queries) // (2 if condition.length_s == LONGEST_S else 1)
    embeddings = data.embeddings.with_overhang(QueryOverhang(query_overhang_s=beyond_s))
    queries = embeddings.queries(replace(whole, queries=whole.queries[:n]), condition)
    masks = data.masks[:n] if plan == "masked" else None
    system = System(library=data.library, hop_s=embeddings.query_hop_s)
    found = match_all(system, queries, masks, first_s=embeddings.first_s(condition), jobs=jobs)
    right = found.correct(data.library, data.true_songs[:n]) if plan == "known" else np.zeros(n, bool)
    n_searched = np.full(n, data.library.song_starts[-1])
    return Answers(found.features, right, data.halves(source, _SEED)[:n], n_searched)


def _fitted_to(answers: Mapping[_Question, Answers], beyond_s: float) -> CalibrationData:
    """Return what the acceptance model of one way is fitted to: everything but unknown music."""
    parts = []
    for (plan, condition, beyond), one in answers.items():
        other = (plan, condition, beyond_s)
        if plan != "unknown" and (beyond == beyond_s or other not in answers):
            halves = np.full(one.halves.size, BOTH_HALVES) if plan in _TRAIN_SOUNDS else one.halves
            parts.append((one.features, one.is_correct, halves))
    return CalibrationData.join(parts, int(next(iter(answers.values())).n_searched[0]))


def compare(data: EvaluationSet, answers: Mapping[_Question, Answers], seconds: float) -> list[dict[str, Any]]:
    """Return a row for each condition: right, accepted and wrongly accepted within, beyond, and their differences.

    Parameters
    ----------
    data : EvaluationSet
    answers : mapping of (plan, condition, seconds beyond) to Answers
    seconds : float > 0
        Of the overhang.
    """
    tracks = [str(query.path) for query in data.plans["known"].queries]
    fits = {beyond_s: _fitted_to(answers, beyond_s).cross_fit() for beyond_s in (0.0, seconds)}
    rows = []
    for condition in dict.fromkeys(condition for plan, condition, _ in answers if plan == "known"):
        row: dict[str, Any] = {"condition": condition.name}
        right, named = [], []
        for name, beyond_s in (("within", 0.0), ("beyond", seconds)):
            for plan in ("known", "masked", "unknown"):
                one = answers.get((plan, condition, beyond_s), answers.get((plan, condition, 0.0)))
                if one is None:
                    continue
                accepted = fits[beyond_s].judge(one.features, one.halves)[1]
                if plan == "known":
                    right.append(one.is_correct.astype(np.float64))
                    named.append((accepted & one.is_correct).astype(np.float64))
                    row |= {f"rank1_{name}": float(right[-1].mean()), f"accepted_{name}": float(named[-1].mean())}
                else:
                    row[f"{plan}_{name}"] = [int(accepted.sum()), int(accepted.size)]
        row["n"], rng = right[0].size, np.random.default_rng([_SEED, 97])
        for measure, (within, beyond) in (("rank1", right), ("accepted", named)):
            row[f"{measure}_difference"] = paired_difference(beyond, within, tracks[: row["n"]], rng)
        rows.append(row)
    return rows


def to_markdown(result: dict[str, Any]) -> str:
    """Return the table: every figure is taken from the rows."""
    heads = ["condition", "n", "rank-1 within", "beyond", "difference", "accepted within", "beyond", "difference"]
    heads += ["masked music accepted within", "beyond", "unknown music accepted within", "beyond"]
    cells = []
    for row in result["rows"]:
        line = [row["condition"], str(row["n"])]
        for measure in ("rank1", "accepted"):
            found = row[f"{measure}_difference"]
            line += [percent(row[f"{measure}_{name}"]) for name in ("within", "beyond")]
            line.append(with_interval(found, of="difference", scale=100, sign="+"))
        for plan in ("masked", "unknown"):
            counts = [row.get(f"{plan}_{name}") for name in ("within", "beyond")]
            line += ["" if count is None else f"{count[0]} of {count[1]}" for count in counts]
        cells.append(line)
    return f"{result['model']}, {result['overhang_s']:g} s beyond queries\n\n{markdown_table(heads, cells)}\n"


if __name__ == "__main__":
    run_command(main)
