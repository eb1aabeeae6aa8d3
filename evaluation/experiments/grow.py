"""What a larger database does to answers: python -m evaluation.experiments.grow --corpus C --cache-dir D --out FILE.

The corpus is indexed among rendered songs (``nowplaying render``), where a folder of them is given, and synthetic
distractors (evaluation/retrieval/distractors.py). The same real queries are matched at each size: known music, unknown
music, and known music that is masked. Most songs that a query may be mistaken for are then synthetic, which the result
says: as many real songs would have covers and versions among them. The result has rank-1, accepted, and false accepts
by size, without acceptance's terms by size (:mod:`evaluation.experiments.sizes` fits those), with the kind of song that
false accepts name, and the logarithm of the odds that one wrong answer in 300 reaches.

``strict`` is the cost of one false accept in a thousand: a threshold is chosen on the wrong answers of one half of the
recordings and applied to the other half, and the other way round; music that is not indexed and music that is masked
are then both unknown music.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import judge
from evaluation.retrieval.conditions import paired_conditions
from evaluation.retrieval.evaluation_set import build_evaluation_set
from evaluation.retrieval.evaluator import Evaluator
from evaluation.retrieval.library import grow_library
from evaluation.retrieval.matching import Outcomes
from evaluation.retrieval.same_music import SameMusic
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.audio.find import find_audio
from nowplaying_core.command import run_command
from nowplaying_core.statistics import clopper_pearson
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.accept import Acceptance
from ondevice_db.store.store import SongDatabase

RATE = 0.003
STRICT_RATE = 0.0005  # aimed at where at most one in a thousand is wanted: half of it is left for chance


def main() -> None:
    """Measure every size and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument(
        "--distractors", type=int, nargs="+", default=[0, 1000, 10_000, 30_000], help="songs beside the corpus"
    )
    parser.add_argument("--rendered-midi", type=Path, help="folder of rendered music to index beside the corpus")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    data = build_evaluation_set(
        options.model, options.corpus, options.cache_dir, n_queries=options.queries, jobs=options.jobs
    )
    run = Evaluator.of(data, seed=1, jobs=options.jobs)
    fingerprinter = data.embeddings.fingerprinter
    shipped, fitted = load_codebook(fingerprinter.folder.path), acceptance_of(fingerprinter)
    rendered = []
    if options.rendered_midi is not None:
        paths = find_audio([options.rendered_midi])
        rendered = SameMusic.among(data.library.paths, data.embeddings).others(paths, data.embeddings)
        print(
            f"{len(paths)} renderings: {len(rendered)} kept, the others are silent or music of the corpus", flush=True
        )
    n_real = len(data.library.song_starts) - 1
    tails, rows = [], []
    for n_distractors in options.distractors:
        database = options.cache_dir / f"grown-{n_distractors}.npdb"
        library = grow_library(data.library, rendered, n_distractors, database, shipped)
        manifest = SongDatabase.open(library.database).manifest
        n_fingerprints = int(manifest.n_fingerprints)
        grown = replace(run, system=replace(run.system, library=library), data=replace(data, library=library))
        row, logits = measure(grown, (n_real, n_real + len(rendered)), fitted)
        of_size = {"real_songs": n_real, "rendered_songs": len(rendered), "distractors": n_distractors}
        rows.append({**of_size, "n_fingerprints": n_fingerprints, "n_cells": manifest.n_cells, **row})
        tails.append(float(np.quantile(logits, 1 - RATE)))
        print(rows[-1], f"logit of the worst {100 * RATE:g} %: {tails[-1]:.2f}", flush=True)
    write_json(options.out, {"sizes": rows, "tail_logits": tails})


def measure(
    run: Evaluator, ends: tuple[int, int], acceptance: Acceptance
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return the rates of one size, without any adaptation to it, and the log odds of all wrong answers.

    `ends` are the numbers of the first song that is not real, and of the first distractor.
    """
    row: dict[str, Any] = {}
    wrong: list[NDArray[np.float64]] = []
    unknown_halves = np.concatenate([run.data.halves("unknown", run.seed), run.halves])
    for condition in paired_conditions():
        known, unknown = run.match("known", condition), run.match("unknown", condition)
        masked = run.match("known", condition, run.data.masks)
        correct = run.correct(known)
        accepted, unknown_accepted, masked_accepted = (
            judge(acceptance, outcomes.features, acceptance.n_fitted)[1] for outcomes in (known, unknown, masked)
        )
        strangers = np.concatenate([log_odds(acceptance, unknown), log_odds(acceptance, masked)])
        true = np.where(correct, log_odds(acceptance, known), -np.inf)
        row[condition.name] = {
            "rank1": float(correct.mean()),
            "accepted": float((correct & accepted).mean()),
            "unknown_accepted": {**count(unknown_accepted), "named": named(unknown.songs[unknown_accepted], ends)},
            "masked_accepted": {**count(masked_accepted), "named": named(masked.songs[masked_accepted], ends)},
            "strict": strict(true, run.halves, strangers, unknown_halves),
        }
        wrong.append(strangers)
    return row, np.concatenate(wrong)


def strict(
    true: NDArray[np.float64],
    true_half: NDArray[np.int64],
    wrong: NDArray[np.float64],
    wrong_half: NDArray[np.int64],
) -> dict[str, Any]:
    """Return true and false accepts at thresholds of one false accept in 2,000, each half at the other's threshold.

    Parameters
    ----------
    true : ndarray of float64, shape (n_known,)
        Log odds of correct answers; minus infinity where the answer is wrong.
    true_half, wrong_half : ndarray of int64, 0 or 1
    wrong : ndarray of float64, shape (n_unknown,)
        Log odds of answers to unknown music.
    """
    thresholds = [float(np.quantile(wrong[wrong_half != half], 1 - STRICT_RATE, method="higher")) for half in (0, 1)]
    accepted = np.concatenate([true[true_half == half] > thresholds[half] for half in (0, 1)])
    false = np.concatenate([wrong[wrong_half == half] > thresholds[half] for half in (0, 1)])
    return {"log_odds": thresholds, "accepted": float(accepted.mean()), "unknown_accepted": count(false)}


def count(accepted: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many were accepted, and the interval of the rate."""
    n, found = int(accepted.size), int(accepted.sum())
    return {"n": n, "count": found, "clopper_pearson": clopper_pearson(found, n).bounds}


def named(songs: NDArray[np.int64], ends: tuple[int, int]) -> dict[str, int]:
    """Return how many accepted answers name a real song, a rendered one and a distractor."""
    kinds = np.searchsorted(ends, songs, side="right")
    return {kind: int((kinds == number).sum()) for number, kind in enumerate(("real", "rendered", "distractor"))}


def log_odds(acceptance: Acceptance, outcomes: Outcomes) -> NDArray[np.float64]:
    """Return the logarithm of the odds of each answer; of no answer the lowest."""
    weights: Sequence[float] = acceptance.coefficients
    logits: NDArray[np.float64] = outcomes.features @ np.array(weights) + acceptance.intercept
    return np.nan_to_num(logits, nan=-40.0)


if __name__ == "__main__":
    run_command(main)
