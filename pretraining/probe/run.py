"""Ask several ears the same: tasks, shares of labels and seeds, frozen and fine-tuned."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nowplaying.errors import ConfigError
from pretraining.config import PretrainingConfig
from pretraining.ear import embed, load_ear
from pretraining.probe.few import labelled_part
from pretraining.probe.finetune import fine_tune
from pretraining.probe.intervals import bootstrap, interval
from pretraining.probe.linear import linear_probe, mean_by_owner
from pretraining.probe.windows import Images, hear
from pretraining.tasks.task import Task

__all__ = ["ProbeSettings", "probe"]


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
class _Heard:
    """A task's two parts as images, and its labels as numbers."""

    task: Task
    train: Images
    test: Images
    labels: NDArray[np.int64]
    asked: NDArray[np.int64]


def probe(
    runs: Sequence[Path],
    tasks: Sequence[Task],
    settings: ProbeSettings,
    *,
    cache_dir: Path,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Measure the ears of finished runs on all tasks.

    Parameters
    ----------
    runs : sequence of Path
        Folders of ``nowplaying pretrain``; runs of one method (with other seeds) are one row.
    tasks : sequence of Task
    settings : ProbeSettings
    cache_dir : Path
        For decoded audio.
    report : callable
        Receives one line of progress at a time.

    Returns
    -------
    dict
        ``settings``, ``runs``, ``tasks`` and ``results``: one row for each task, method, mode and share of labels, with
        ``accuracy`` and its interval ``low`` to ``high``; ``above_random``, the same of the difference to the ears
        of method "random", where there are any.

    Raises
    ------
    ConfigError
        When a run is not finished or the runs' front ends differ.
    """
    ears = [load_ear(run) for run in runs]
    front_end = ears[0][0].front_end
    for run, (config, ear) in zip(runs, ears, strict=True):
        if len(ear.input_shape) != 4:
            message = f"{run}: expected an ear that hears sound, found {config.method}; evaluation/discrete.py asks it"
            raise ConfigError(message)
        if config.front_end != front_end:
            message = f"{run}: expected the front end of {runs[0]}; probe ears of different front ends apart"
            raise ConfigError(message)
    results = []
    for task in tasks:
        started = time.monotonic()
        number = {label: index for index, label in enumerate(task.labels)}
        heard = _Heard(
            task,
            hear(task.train, front_end, cache_dir=cache_dir, most_windows=settings.most_windows),
            hear(task.test, front_end, cache_dir=cache_dir, most_windows=settings.most_windows),
            np.array([number[example.label] for example in task.train]),
            np.array([number[example.label] for example in task.test]),
        )
        right: dict[tuple[str, str, float], list[NDArray[np.bool_]]] = defaultdict(list)
        for config, ear in ears:
            for mode, share, answers in _ask(heard, config, ear, settings):
                right[config.method, mode, share].append(answers)
        results += _rows(task, right)
        report(f"{task.name}: {len(task.train)} + {len(task.test)} sounds, {time.monotonic() - started:.0f} s")
    return {
        "settings": {**asdict(settings), "label_shares": list(settings.label_shares)},
        "runs": [
            {
                "folder": run.name,
                "method": config.method,
                "seed": config.seed,
                "n_steps": config.n_steps,
                "clips_per_step": config.clips_per_step,
                "n_parameters": int(ear.count_params()),
            }
            for run, (config, ear) in zip(runs, ears, strict=True)
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
    }


def _ask(
    heard: _Heard, config: PretrainingConfig, ear: keras.Model, settings: ProbeSettings
) -> list[tuple[str, float, NDArray[np.bool_]]]:
    """Return for one ear, by mode and share of labels, which sounds it got right, one row for each seed."""
    vectors, asked = embed(ear, heard.train.images), embed(ear, heard.test.images)
    names, n_labels = [example.label for example in heard.task.train], len(heard.task.labels)
    found = []
    for share in settings.label_shares:
        # With all labels every seed draws the same: the linear probe has one answer then.
        n_seeds = settings.n_seeds if share < 1 else 1
        frozen, tuned = [], []
        for seed in range(settings.n_seeds):
            windows = heard.train.of(labelled_part(names, share, np.random.default_rng([seed, config.seed])))
            labels = heard.labels[heard.train.owners[windows]]
            if seed < n_seeds:
                answers = linear_probe(vectors[windows], labels, asked, n_labels=n_labels)
                frozen.append(_right(answers, heard))
            if settings.fine_tune_steps:
                answers = fine_tune(
                    config,
                    ear.get_weights(),
                    heard.train.images[windows],
                    labels,
                    heard.test.images,
                    n_labels=n_labels,
                    n_steps=settings.fine_tune_steps,
                    seed=seed,
                )
                tuned.append(_right(answers, heard))
        found.append(("frozen", share, np.stack(frozen)))
        if tuned:
            found.append(("fine-tuned", share, np.stack(tuned)))
    return found


def _right(answers: NDArray[np.float64], heard: _Heard) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = mean_by_owner(answers, heard.test.owners).argmax(axis=1) == heard.asked
    return right


def _rows(task: Task, right: dict[tuple[str, str, float], list[NDArray[np.bool_]]]) -> list[dict[str, Any]]:
    units = [example.unit for example in task.test]
    rows = []
    for (method, mode, share), answers in right.items():
        joined = np.concatenate(answers)
        drawn = bootstrap(joined, units, np.random.default_rng(0))
        low, high = interval(drawn)
        row = {
            "task": task.name,
            "method": method,
            "mode": mode,
            "label_share": share,
            "n_seeds": len(joined),
            "accuracy": float(joined.mean()),
            "low": low,
            "high": high,
        }
        baseline = right.get(("random", mode, share))
        if baseline is not None and method != "random":
            of_random = np.concatenate(baseline)
            # The same generator draws the same units for both where they have as many seeds: the difference is paired.
            low, high = interval(drawn - bootstrap(of_random, units, np.random.default_rng(0)))
            row["above_random"] = {"difference": float(joined.mean() - of_random.mean()), "low": low, "high": high}
        rows.append(row)
    return rows
