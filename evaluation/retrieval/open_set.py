"""The open-set protocol: eight seconds of music that may be unknown, precision against recall over all thresholds.

After the figure of Gfeller et al., "Now Playing: Continuous low-power music recognition" (arXiv 1711.10958), which does
not print its noise; here each condition has a curve.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.calibration import calibration_conditions
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.evaluation_set import build_evaluation_set
from evaluation.retrieval.evaluator import Evaluator
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import clopper_pearson, wilson

__all__ = ["evaluate_open_set", "precision_recall"]

_log = logging.getLogger(__name__)
_PRECISION = 0.99
_N_POINTS = 101


def open_set_conditions() -> list[Condition]:
    """Return 8 s at 5, 0 and -5 dB, in the open and in rooms."""
    return [
        *(Condition(snr_db=snr) for snr in (5.0, 0.0, -5.0)),
        *(Condition(snr_db=snr, room="simulated") for snr in (5.0, 0.0, -5.0)),
    ]


def evaluate_open_set(
    model: str | Path,
    corpus: Path,
    cache: Path,
    *,
    conditions: Sequence[Condition] | None = None,
    n_queries: int = 2000,
    n_unknown: int = 900,
    seed: int = 1,
    jobs: int = 1,
) -> dict[str, Any]:
    """Evaluate recognition where the music may not be in the database.

    Parameters are those of :func:`~evaluation.retrieval.retrieval.evaluate_retrieval`; as there, scores come from an
    acceptance model that was fitted to the other half of the tracks.

    Returns
    -------
    dict
        JSON-ready; see :func:`~evaluation.retrieval.grid_report.open_set_to_markdown`.

    Raises
    ------
    ConfigError
        When the corpus has no unknown music.
    """
    _log.info("indexing")
    chosen = list(conditions) if conditions is not None else open_set_conditions()
    shortest_s = Fingerprinter.from_model(model).shortest_query_s
    calibrated = calibration_conditions(shortest_s) if conditions is None else chosen
    data = build_evaluation_set(
        model,
        corpus,
        cache,
        n_queries=n_queries,
        n_unknown=n_unknown,
        seed=seed,
        room_kinds={condition.room for condition in (*chosen, *calibrated)},
        jobs=jobs,
    )
    if "unknown" not in data.plans:
        message = f"{corpus}: expected music of split 'unknown' that no indexed song holds, found none; add some"
        raise ConfigError(message)
    run = Evaluator.of(data, seed=seed, jobs=jobs)
    cross_fit = run.cross_fit(calibrated)
    halves = data.halves("unknown", seed)
    rows = []
    for condition in chosen:
        known, unknown = run.match("known", condition), run.match("unknown", condition)
        judged = (*cross_fit.judge(known.features, run.halves), *cross_fit.judge(unknown.features, halves))
        rows.append({"condition": condition.name, **condition.to_dict(), **_score(run.correct(known), *judged)})
    return {
        "schema": "open-set/1",
        "protocol": "now-playing",
        "model": data.embeddings.fingerprinter.name,
        "embedding_space": data.embeddings.fingerprinter.embedding_space,
        "n_songs": int(data.library.song_starts.size - 1),
        "n_queries": n_queries,
        "n_unknown": n_unknown,
        "seed": seed,
        "thresholds": [acceptance.threshold for acceptance in cross_fit.acceptances],
        "left_out_as_duplicates": [path.name for path in data.duplicates],
        "left_out_as_silent": [path.name for path in data.plans["known"].silent],
        "rows": rows,
    }


def precision_recall(
    correct: NDArray[np.bool_], known_scores: NDArray[np.float64], unknown_scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the curve over all thresholds, the strictest first.

    Parameters
    ----------
    correct : ndarray of bool, shape (n_known,)
        Whether the first song of a known query is the correct one.
    known_scores : ndarray of float64, shape (n_known,)
    unknown_scores : ndarray of float64, shape (n_unknown,)
        Every acceptance of these is wrong.

    Returns
    -------
    thresholds, precision, recall : ndarray of float64, shape (n_thresholds,)
        Recall is the share of the known queries that are accepted with the correct song.
    """
    scores = np.concatenate([known_scores, unknown_scores])
    good = np.concatenate([correct, np.zeros(unknown_scores.size, bool)])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(good[order])
    # Equal scores are accepted together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, [True]))
    return scores[order][last], hits[last] / (last + 1), hits[last] / correct.size


def _score(
    correct: NDArray[np.bool_],
    known_scores: NDArray[np.float64],
    known_accepted: NDArray[np.bool_],
    unknown_scores: NDArray[np.float64],
    unknown_accepted: NDArray[np.bool_],
) -> dict[str, Any]:
    thresholds, precision, recall = precision_recall(correct, known_scores, unknown_scores)
    precise = np.flatnonzero(precision >= _PRECISION)
    accepted, false = correct & known_accepted, int(unknown_accepted.sum())
    points = np.unique(np.linspace(0, thresholds.size - 1, _N_POINTS).astype(int))
    n, n_unknown = int(correct.size), int(unknown_accepted.size)
    return {
        "rank1": {"rate": float(correct.mean()), "wilson": wilson(int(correct.sum()), n).bounds},
        "accepted": {"rate": float(accepted.mean()), "wilson": wilson(int(accepted.sum()), n).bounds},
        "wrong_accepted": int((~correct & known_accepted).sum()),
        "false_accepts": {"count": false, "n": n_unknown, "clopper_pearson": clopper_pearson(false, n_unknown).bounds},
        "recall_at_precision_99": float(recall[precise[-1]]) if precise.size else 0.0,
        "curve": [
            {"threshold": float(thresholds[i]), "precision": float(precision[i]), "recall": float(recall[i])}
            for i in points
        ],
    }
