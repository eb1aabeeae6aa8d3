"""The open-set protocol: eight seconds of music that may be unknown, precision against recall over all thresholds.

After the figure of Gfeller et al., "Now Playing: Continuous low-power music recognition" (arXiv 1711.10958), which does
not print its noise; here each condition has a curve.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.matching import Outcomes, System, match_all
from evaluation.retrieval.setting import Setting, build_setting
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import clopper_pearson, wilson
from ondevice_db.recognizer import acceptance_of

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
    progress: Callable[[str], None] = _log.info,
) -> dict[str, Any]:
    """Evaluate recognition where the music may not be in the database.

    Parameters are those of :func:`~evaluation.retrieval.retrieval.evaluate_retrieval`.

    Returns
    -------
    dict
        JSON-ready; see :func:`~evaluation.retrieval.grid_report.open_set_to_markdown`.
    """
    progress("indexing")
    chosen = list(conditions) if conditions is not None else open_set_conditions()
    setting = build_setting(
        model,
        corpus,
        cache,
        n_queries=n_queries,
        n_unknown=n_unknown,
        seed=seed,
        room_kinds={condition.room for condition in chosen},
        jobs=jobs,
    )
    if "unknown" not in setting.plans:
        message = f"{corpus}: expected music of split 'unknown' that no indexed song holds, found none; add some"
        raise ConfigError(message)
    fingerprinter = setting.cache.fingerprinter
    acceptance = acceptance_of(fingerprinter)
    system = System(library=setting.library, acceptance=acceptance, hop_s=setting.cache.query_hop_s)
    rows = []
    for condition in chosen:
        progress(condition.name)
        known, unknown = (
            match_all(system, setting.cache.queries(setting.plans[plan], condition), jobs=jobs)
            for plan in ("known", "unknown")
        )
        rows.append({"condition": condition.name, **condition.to_dict(), **_score(setting, known, unknown)})
    return {
        "schema": "open-set/1",
        "protocol": "now-playing",
        "model": fingerprinter.name,
        "embedding_space": fingerprinter.embedding_space,
        "n_songs": int(setting.library.song_starts.size - 1),
        "n_queries": n_queries,
        "n_unknown": n_unknown,
        "seed": seed,
        "threshold": acceptance.threshold,
        "left_out_as_twins": [path.name for path in setting.twins],
        "left_out_as_silent": [path.name for path in setting.plans["known"].silent],
        "rows": rows,
    }


def precision_recall(
    right: NDArray[np.bool_], known_scores: NDArray[np.float64], unknown_scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the curve over all thresholds, the strictest first.

    Parameters
    ----------
    right : ndarray of bool, shape (n_known,)
        Whether the first song of a known query is the right one.
    known_scores : ndarray of float64, shape (n_known,)
    unknown_scores : ndarray of float64, shape (n_unknown,)
        Every acceptance of these is wrong.

    Returns
    -------
    thresholds, precision, recall : ndarray of float64, shape (n_thresholds,)
        Recall is the share of the known queries that are accepted with the right song.
    """
    scores = np.concatenate([known_scores, unknown_scores])
    good = np.concatenate([right, np.zeros(unknown_scores.size, bool)])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(good[order])
    # Equal scores are accepted together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, [True]))
    return scores[order][last], hits[last] / (last + 1), hits[last] / right.size


def _score(setting: Setting, known: Outcomes, unknown: Outcomes) -> dict[str, Any]:
    right = known.right(setting.library, setting.truth)
    thresholds, precision, recall = precision_recall(right, known.scores, unknown.scores)
    precise = np.flatnonzero(precision >= _PRECISION)
    accepted, false = right & known.accepted, int(unknown.accepted.sum())
    points = np.unique(np.linspace(0, thresholds.size - 1, _N_POINTS).astype(int))
    n, n_unknown = int(right.size), int(unknown.accepted.size)
    return {
        "rank1": {"rate": float(right.mean()), "wilson": wilson(int(right.sum()), n).bounds},
        "accepted": {"rate": float(accepted.mean()), "wilson": wilson(int(accepted.sum()), n).bounds},
        "wrong_accepted": int((~right & known.accepted).sum()),
        "false_accepts": {"count": false, "n": n_unknown, "clopper_pearson": clopper_pearson(false, n_unknown).bounds},
        "recall_at_precision_99": float(recall[precise[-1]]) if precise.size else 0.0,
        "curve": [
            {"threshold": float(thresholds[i]), "precision": float(precision[i]), "recall": float(recall[i])}
            for i in points
        ],
    }
