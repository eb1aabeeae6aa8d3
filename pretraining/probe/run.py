"""Probe several encoders on the same tasks, shares of labels and seeds, frozen and fine-tuned."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import embed, load_encoder
from pretraining.probe.compare import Right, compare
from pretraining.probe.few import labelled_part
from pretraining.probe.finetune import fine_tune
from pretraining.probe.linear import linear_probe, mean_by_owner
from pretraining.probe.windows import Images, read_windows
from pretraining.tasks.task import Task
from pretraining.tflite_encoder import TfliteEncoder

__all__ = ["ProbeSettings", "probe"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeSettings:
    """The protocol.

    Attributes
    ----------
    label_shares : tuple of float in (0, 1]
    n_seeds : int >= 1
        Draws of the labelled part, and of what fine-tuning draws.
    most_windows : int >= 1
        Of one sound.
    fine_tune_steps : int >= 0
        0 leaves fine-tuning out.
    """

    label_shares: tuple[float, ...] = (0.01, 0.1, 1.0)
    n_seeds: int = 3
    most_windows: int = 8
    fine_tune_steps: int = 0

    def __post_init__(self) -> None:
        if not self.label_shares or min(self.label_shares) <= 0 or max(self.label_shares) > 1:
            message = f"label shares must lie in (0, 1], found {self.label_shares}"
            raise ConfigError(message)
        if min(self.n_seeds, self.most_windows) < 1 or self.fine_tune_steps < 0:
            message = f"seeds and windows must be at least 1, fine-tuning steps not negative, found {self}"
            raise ConfigError(message)


@dataclass(frozen=True, slots=True)
class _TaskWindows:
    """A task's two parts as images, and its labels as numbers."""

    task: Task
    train: Images
    test: Images
    labels: NDArray[np.int64]
    y_true: NDArray[np.int64]


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
        Folders of ``nowplaying pretrain``; runs of one method (with other seeds) are one row. The folder
        of a shipped encoder is a row of its own, and is not fine-tuned.
    tasks : sequence of Task
    settings : ProbeSettings
    cache_dir : Path
        For decoded audio.
    names : sequence of str, optional
        What rows are called instead of their methods; runs of one name are one row.

    Returns
    -------
    dict
        ``schema`` "probe/1"; ``settings``, ``runs`` and ``tasks``; ``results``, one row for each task, method, mode and
        share of labels, and ``means`` over the tasks, both as :func:`pretraining.probe.compare.compare` gives them.

    Raises
    ------
    ConfigError
        When a run is not finished or the runs' front ends differ.
    """
    encoders = [_open(run) for run in runs]
    if names is not None:
        encoders = [(name, *encoder[1:]) for name, encoder in zip(names, encoders, strict=True)]
    front_end = encoders[0][1].front_end
    for run, (_, config, _) in zip(runs, encoders, strict=True):
        if config.front_end != front_end:
            message = f"{run}: expected the front end of {runs[0]}; probe encoders of different front ends apart"
            raise ConfigError(message)
    answers: list[Right] = []
    for task in tasks:
        started = time.monotonic()
        number = {label: index for index, label in enumerate(task.labels)}
        sounds = _TaskWindows(
            task,
            read_windows(task.train, front_end, cache_dir=cache_dir, most_windows=settings.most_windows),
            read_windows(task.test, front_end, cache_dir=cache_dir, most_windows=settings.most_windows),
            np.array([number[example.label] for example in task.train]),
            np.array([number[example.label] for example in task.test]),
        )
        correct: dict[tuple[str, str, float], list[NDArray[np.bool_]]] = defaultdict(list)
        for name, config, encoder in encoders:
            for mode, share, found in _correct_answers(sounds, config, encoder, settings):
                correct[name, mode, share].append(found)
        answers.append({key: np.concatenate(found) for key, found in correct.items()})
        _log.info("%s: %d + %d sounds, %.0f s", task.name, len(task.train), len(task.test), time.monotonic() - started)
    results, means = compare(tasks, answers)
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


def _open(run: Path) -> tuple[str, PretrainingConfig, keras.Model | TfliteEncoder]:
    """Return what a row is called, the settings of its run, and its encoder."""
    if (run / "manifest.json").is_file():
        shipped = TfliteEncoder(run)
        return shipped.name, shipped.config, shipped
    config, encoder = load_encoder(run)
    if len(encoder.input_shape) != 4:
        message = f"{run}: expected an encoder of sound, found {config.method}; use evaluation.experiments.discrete"
        raise ConfigError(message)
    return config.method, config, encoder


def _correct_answers(
    sounds: _TaskWindows, config: PretrainingConfig, encoder: keras.Model | TfliteEncoder, settings: ProbeSettings
) -> list[tuple[str, float, NDArray[np.bool_]]]:
    """Return for one encoder, by mode and share of labels, which test sounds were classified correctly, by seed."""
    vectors, queries = embed(encoder, sounds.train.images), embed(encoder, sounds.test.images)
    names, n_labels = [example.label for example in sounds.task.train], len(sounds.task.labels)
    found = []
    for share in settings.label_shares:
        # With all labels every seed draws the same: the linear probe has one answer then.
        n_seeds = settings.n_seeds if share < 1 else 1
        frozen, tuned = [], []
        for seed in range(settings.n_seeds):
            windows = sounds.train.of(labelled_part(names, share, np.random.default_rng([seed, config.seed])))
            labels = sounds.labels[sounds.train.owners[windows]]
            if seed < n_seeds:
                answers = linear_probe(vectors[windows], labels, queries, n_labels=n_labels)
                frozen.append(_correct(answers, sounds))
            if settings.fine_tune_steps and isinstance(encoder, keras.Model):
                answers = fine_tune(
                    config,
                    encoder.get_weights(),
                    sounds.train.images[windows],
                    labels,
                    sounds.test.images,
                    n_labels=n_labels,
                    n_steps=settings.fine_tune_steps,
                    seed=seed,
                )
                tuned.append(_correct(answers, sounds))
        found.append(("frozen", share, np.stack(frozen)))
        if tuned:
            found.append(("fine-tuned", share, np.stack(tuned)))
    return found


def _correct(answers: NDArray[np.float64], sounds: _TaskWindows) -> NDArray[np.bool_]:
    correct: NDArray[np.bool_] = mean_by_owner(answers, sounds.test.owners).argmax(axis=1) == sounds.y_true
    return correct
