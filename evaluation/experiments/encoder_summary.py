"""What the rows of a table of encoders say together: by task and as means, with intervals over seeds and sounds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.experiments.encoder_report import BAG
from nowplaying_core.errors import ConfigError

__all__ = [
    "BANDS",
    "METHODS",
    "NORMALISED",
    "ON_CLIPS",
    "RANDOM",
    "SHARES",
    "TASKS_NAME",
    "TUNED",
    "rounded",
    "summary",
]

RANDOM: Final = "random"
TUNED: Final = "tuned"  # random weights that learn each column's own labels: its ceiling
BANDS: Final = "bands"  # no encoder
NORMALISED: Final = "normalised"  # what training begins with: random weights, normalised over the training sound
ON_CLIPS: Final = (  # trained on clips of one budget
    "supervised",
    "cola",
    "nt_xent",
    "triplet",
    "audio2vec_skipgram",
    "audio2vec_cbow",
    "temporal_gap",
    "autoencoder",
)
METHODS: Final = (
    RANDOM,
    NORMALISED,
    BANDS,
    TUNED,
    *ON_CLIPS,
    "kmeans_codes",
    "vq_codes",
)
COMPARED_TO: Final = (RANDOM, BANDS, "normalised", "supervised", "cola", "audio2vec_cbow", "audio2vec_skipgram")
SHARES: Final = (0.1, 1.0)
TASKS_NAME: Final = "tasks.json"


def summary(folder: Path) -> dict[str, Any]:
    """Return what the rows of a folder say, task by task and as means, with intervals paired to random encoders.

    Raises
    ------
    ConfigError
        When there is no row, or a row answers other tasks.
    """
    from pretraining.probe.compare import compare
    from pretraining.probe.rows import read_rows, row_answers

    if not (folder / TASKS_NAME).is_file():
        message = f"{folder}: expected rows of this command and {TASKS_NAME}, found none"
        raise ConfigError(message)
    tasks = json.loads((folder / TASKS_NAME).read_text(encoding="utf-8"))
    rows = read_rows(folder, tasks)
    names = dict.fromkeys([*METHODS, *(row["method"] for row in rows)])
    present = [method for method in names if any(row["method"] == method for row in rows)]
    of_method = {method: [row for row in rows if row["method"] == method] for method in present}
    results, means = [], []
    for pooled in (False, True):
        group = [task for task in tasks if task["pooled"] == pooled]
        if not group:
            continue
        answers = [
            {
                (method, "probe", share): np.stack([row_answers(row, task["name"], share) for row in found])
                for share in SHARES
                for method, found in of_method.items()
            }
            for task in group
        ]
        by_task, by_mean = compare({task["name"]: task["units"] for task in group}, answers)
        results += by_task
        means += [{"pooled": pooled, **mean} for mean in by_mean]
    return {
        "schema": "encoder-table/1",
        "tasks": [{key: value for key, value in task.items() if key != "units"} for task in tasks],
        "methods": [_of_method(method, found) for method, found in of_method.items()],
        "results": [_compact(row) for row in results],
        "means": [_compact(mean) for mean in means],
    }


def _of_method(method: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "method": method,
        "seeds": [row["seed"] for row in rows],
        **{key: rows[0][key] for key in ("n_steps", "clips_per_step", "losses", "levels")},
        "beside": method not in METHODS,
        "cpu_s": sum(row["train_cpu_s"] + row["probe_cpu_s"] for row in rows),
    }


def _compact(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave only the differences that the table shows, and digits that it needs."""
    minus = {
        other: rounded(found) for other, found in row["minus"].items() if other in COMPARED_TO or other.endswith(BAG)
    }
    return {**rounded({key: value for key, value in row.items() if key != "minus"}), "minus": minus}


def rounded(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures with the digits that a table needs."""
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in found.items()}
