"""Probe several encoders on the same tasks, shares of labels and seeds, frozen and fine-tuned."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import load_encoder
from pretraining.probe.answers import ProbeSettings, frozen_answers, read_task, tuned_answers
from pretraining.probe.compare import Right, compare
from pretraining.tasks.task import Task
from pretraining.tflite_encoder import TfliteEncoder

__all__ = ["ProbeSettings", "open_encoder", "open_encoders", "probe"]

_log = logging.getLogger(__name__)
_Opened = tuple[str, PretrainingConfig, keras.Model | TfliteEncoder]


def probe(
    runs: Sequence[Path],
    tasks: Sequence[Task],
    settings: ProbeSettings,
    *,
    cache_dir: Path,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure the encoders of finished runs on all tasks.

    Parameters
    ----------
    runs : sequence of Path
        Folders of ``nowplaying pretrain``; runs of one method that differ in their seed alone are one row. The folder
        of a shipped encoder is a row of its own, and is not fine-tuned.
    tasks : sequence of Task
    settings : ProbeSettings
    cache_dir : Path
        For decoded audio.
    names : sequence of str, optional
        What rows are called instead; runs of one name are one row.

    Returns
    -------
    dict
        ``schema`` "probe/1"; ``settings``, ``runs`` and ``tasks``; ``results``, one row for each task, method, mode and
        share of labels, and ``means`` over the tasks, both as :func:`pretraining.probe.compare.compare` gives them.

    Raises
    ------
    ConfigError
        As of :func:`open_encoders`.
    """
    encoders = open_encoders(runs, names)
    front_end = encoders[0][1].front_end
    answers: list[Right] = []
    for task in tasks:
        started = time.monotonic()
        sounds = read_task(task, front_end, cache_dir=cache_dir, most_windows=settings.most_windows)
        correct: dict[tuple[str, str, float], list[NDArray[np.bool_]]] = defaultdict(list)
        for name, config, encoder in encoders:
            for one in frozen_answers(sounds, encoder, settings, seed=config.seed):
                correct[name, "frozen", one.share].append(one.correct)
            if settings.fine_tune_steps and isinstance(encoder, keras.Model):
                for one in tuned_answers(sounds, config, encoder, settings):
                    correct[name, "fine-tuned", one.share].append(one.correct)
        answers.append({key: np.stack(found) for key, found in correct.items()})
        _log.info("%s: %d + %d sounds, %.0f s", task.name, len(task.train), len(task.test), time.monotonic() - started)
    results, means = compare({task.name: [one.unit for one in task.test] for task in tasks}, answers)
    return {
        "schema": "probe/1",
        "settings": {**asdict(settings), "label_shares": list(settings.label_shares)},
        "runs": [
            {
                "folder": run.name,
                "method": name,
                "seed": config.seed,
                "n_steps": 0 if config.method == "random" else config.n_steps,
                "clips_per_step": config.clips_per_step,
            }
            for run, (name, config, _) in zip(runs, encoders, strict=True)
        ],
        "tasks": [
            {
                "name": task.name,
                "n_labels": len(task.labels),
                "n_train": len(task.train),
                "n_test": len(task.test),
                "n_units": len({example.unit for example in task.test}),
                "chance": task.chance,
                "parted_by": task.parted_by,
            }
            for task in tasks
        ],
        "results": results,
        "means": means,
    }


def open_encoders(runs: Sequence[Path], names: Sequence[str] | None = None) -> list[_Opened]:
    """Return for each run what its row is called, its settings, and its encoder.

    Without ``names`` a row has its method's name, and beside it that of its first folder where runs of the method
    differ in more than their seed.

    Raises
    ------
    ConfigError
        When a run is not finished, the runs' front ends differ, or two are alike.
    """
    encoders = [open_encoder(run) for run in runs]
    for run, (_, config, _) in zip(runs, encoders, strict=True):
        if config.front_end != encoders[0][1].front_end:
            message = f"{run}: expected the front end of {runs[0]}; probe encoders of different front ends apart"
            raise ConfigError(message)
    rows = _row_names(runs, encoders) if names is None else names
    return [(name, *encoder[1:]) for name, encoder in zip(rows, encoders, strict=True)]


def _row_names(runs: Sequence[Path], encoders: Sequence[_Opened]) -> list[str]:
    alike: dict[tuple[str, Hashable], dict[int, Path]] = defaultdict(dict)
    keys: list[tuple[str, Hashable]] = []
    for run, (name, config, _) in zip(runs, encoders, strict=True):
        # Random weights know nothing of the settings of training.
        keys.append((name, config.encoder if config.method == "random" else replace(config, seed=0)))
        if (first := alike[keys[-1]].setdefault(config.seed, run)) is not run:
            message = f"{run}: expected a run of another seed or of other settings than {first}, found one of the same"
            raise ConfigError(message)
    n_rows = Counter(name for name, _ in alike)
    firsts = {key: next(iter(found.values())) for key, found in alike.items()}
    are_names = len({first.name for first in firsts.values()}) == len(firsts)
    return [
        key[0] if n_rows[key[0]] == 1 else f"{key[0]} ({firsts[key].name if are_names else firsts[key]})"
        for key in keys
    ]


def open_encoder(run: Path) -> _Opened:
    """Return what a row is called, the settings of its run, and its encoder.

    Raises
    ------
    ConfigError
        When a run is not finished, or its encoder takes no sound.
    """
    if (run / "manifest.json").is_file():
        shipped = TfliteEncoder(run)
        return shipped.name, shipped.config, shipped
    config, encoder = load_encoder(run)
    if len(encoder.input_shape) != 4:
        message = f"{run}: expected an encoder of sound, found {config.method}; use evaluation.experiments.discrete"
        raise ConfigError(message)
    return config.method, config, encoder
