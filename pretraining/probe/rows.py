"""One row of the table of encoders: all answers of one encoder, kept as JSON, so that a table can always be made."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.probe.answers import (
    Answers,
    Encoder,
    ProbeSettings,
    TaskWindows,
    frozen_answers,
    tuned_answers,
)
from pretraining.tasks.task import Task

__all__ = ["ROW_SCHEMA", "BagOfCodes", "BandStatistics", "describe_tasks", "measure_row", "read_rows", "row_answers"]

ROW_SCHEMA: Final = "encoder-row/1"
_log = logging.getLogger(__name__)


class BandStatistics:
    """No encoder at all: mean and standard deviation of each mel band, what any encoder is given to begin with."""

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the statistics of log-mel images, (n, n_mels, n_frames, 1) to (n, 2 n_mels)."""
        bands = images[..., 0]
        return np.concatenate([bands.mean(axis=2), bands.std(axis=2)], axis=1)


class BagOfCodes:
    """How often each code is in a window: what a transformer over codes must add to.

    Parameters
    ----------
    encoder : keras.Model
        Of a run with codes.
    """

    def __init__(self, encoder: Any) -> None:
        self._codes = encoder.get_layer("codes")

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return shares of codes in log-mel images, (n, n_mels, n_frames, 1) to (n, n_codes)."""
        codes = np.asarray(self._codes(images))
        n_codes = self._codes.config.n_codes
        rows = np.arange(len(codes))[:, None] * n_codes + codes
        counts = np.bincount(rows.ravel(), minlength=len(codes) * n_codes).reshape(len(codes), n_codes)
        shares: NDArray[np.float32] = (counts / codes.shape[1]).astype(np.float32)
        return shares


def measure_row(
    name: str,
    config: PretrainingConfig,
    encoder: Encoder,
    tasks: Sequence[TaskWindows],
    settings: ProbeSettings,
    *,
    tuned: bool = False,
) -> dict[str, Any]:
    """Return an encoder's answers to all tasks, with what they cost.

    Parameters
    ----------
    name : str
        What the row is called.
    config : PretrainingConfig
        Of the encoder's run.
    encoder : Encoder
    tasks : sequence of TaskWindows
    settings : ProbeSettings
    tuned : bool
        Whether the encoder itself goes on learning on each task, which needs a Keras model.

    Returns
    -------
    dict
        ``schema``, ``method``, ``seed``, ``n_steps``, ``clips_per_step``, ``probe_cpu_s``, and by task ``digest`` and
        ``answers``: for each share of the labels the penalties and, by draw, a string with 1 for each correct answer.
    """
    started, found = time.process_time(), {}
    for sounds in tasks:
        answers = (
            tuned_answers(sounds, config, encoder, settings)
            if tuned
            else frozen_answers(sounds, encoder, settings, seed=config.seed)
        )
        found[sounds.task.name] = {"digest": sounds.task.digest(), "answers": [_to_json(one) for one in answers]}
        _log.info("%s, seed %d, %s: %.1f %%", name, config.seed, sounds.task.name, 100 * answers[-1].correct.mean())
    return {
        "schema": ROW_SCHEMA,
        "method": name,
        "seed": config.seed,
        "n_steps": 0 if config.method == "random" else config.n_steps,
        "clips_per_step": config.clips_per_step,
        "probe_cpu_s": time.process_time() - started,
        "tasks": found,
    }


def _to_json(answers: Answers) -> dict[str, Any]:
    return {
        "share": answers.share,
        "penalties": list(answers.penalties),
        "correct": ["".join("01"[int(right)] for right in draw) for draw in answers.correct],
    }


def row_answers(row: Mapping[str, Any], task: str, share: float) -> NDArray[np.bool_]:
    """Return a row's answers to a task with a share of the labels, (n_draws, n_examples)."""
    (found,) = (one for one in row["tasks"][task]["answers"] if one["share"] == share)
    return np.array([[mark == "1" for mark in draw] for draw in found["correct"]])


def describe_tasks(tasks: Sequence[Task], path: Path) -> list[dict[str, Any]]:
    """Write what tables say of the tasks beside the rows, and return it; the rows of other tasks are refused.

    Raises
    ------
    ConfigError
        When the file describes other tasks.
    """
    described = [
        {
            "name": task.name,
            "digest": task.digest(),
            "pooled": task.pooled,
            "n_labels": len(task.labels),
            "n_train": len(task.train),
            "n_test": len(task.test),
            "n_units": len({one.unit for one in task.test}),
            "units": [one.unit for one in task.test],
            "chance": task.chance,
            "parted_by": task.parted_by,
        }
        for task in tasks
    ]
    if path.is_file():
        known = {one["name"]: one["digest"] for one in json.loads(path.read_text(encoding="utf-8"))}
        if known != (found := {one["name"]: one["digest"] for one in described}):
            message = f"{path}: expected the tasks of the rows beside it, {known}, found {found}; choose another folder"
            raise ConfigError(message)
    write_json(path, described)
    return described


def read_rows(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return all rows in the subfolders of a folder, by method and seed.

    Raises
    ------
    ConfigError
        When a row answers other tasks.
    """
    digests = {task["name"]: task["digest"] for task in tasks}
    rows = []
    for path in sorted(folder.glob("*/row.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        found = {name: one["digest"] for name, one in row["tasks"].items()}
        if row.get("schema") != ROW_SCHEMA or found != digests:
            message = f"{path}: expected answers to {digests}, found {found}; delete the file to ask again"
            raise ConfigError(message)
        rows.append(row)
    return sorted(rows, key=lambda row: (row["method"], row["seed"]))
