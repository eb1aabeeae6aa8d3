"""An encoder's answers to one task: which test sounds a probe of it names rightly, frozen and fine-tuned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import embed
from pretraining.probe.few import labelled_part
from pretraining.probe.finetune import fine_tune
from pretraining.probe.linear import linear_probe, mean_by_owner, pooled_by_owner
from pretraining.probe.windows import Images, read_windows
from pretraining.tasks.task import Task

__all__ = ["Answers", "Encoder", "ProbeSettings", "TaskWindows", "frozen_answers", "read_task", "tuned_answers"]


class Encoder(Protocol):
    """What a probe asks of an encoder."""

    def predict_on_batch(self, images: NDArray[np.float32]) -> Any:
        """Return the embeddings of log-mel images, (n, n_mels, n_frames, 1) to (n, dim)."""


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
        if len(set(self.label_shares)) < len(self.label_shares):
            message = f"label shares must differ, found {self.label_shares}"
            raise ConfigError(message)
        if min(self.n_seeds, self.most_windows) < 1 or self.fine_tune_steps < 0:
            message = f"seeds and windows must be at least 1, fine-tuning steps not negative, found {self}"
            raise ConfigError(message)


@dataclass(frozen=True, slots=True)
class TaskWindows:
    """A task's two parts as images, and its labels as numbers.

    Attributes
    ----------
    task : Task
    train, test : Images
    labels, y_true : ndarray of int64
        Of each training and each test example, in [0, n_labels).
    """

    task: Task
    train: Images
    test: Images
    labels: NDArray[np.int64]
    y_true: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a probe answered with one share of the labels.

    Attributes
    ----------
    share : float
    correct : ndarray of bool, shape (n_draws, n_examples)
    penalties : tuple of float
        Chosen on held-out training data, by draw; empty of fine-tuning.
    """

    share: float
    correct: NDArray[np.bool_]
    penalties: tuple[float, ...] = ()


def read_task(task: Task, front_end: FrontEndConfig, *, cache_dir: Path, most_windows: int) -> TaskWindows:
    """Read a task's sounds, at most so many windows of each."""
    number = {label: index for index, label in enumerate(task.labels)}
    train, test = (
        read_windows(part, front_end, cache_dir=cache_dir, most_windows=most_windows)
        for part in (task.train, task.test)
    )
    labels, y_true = (np.array([number[example.label] for example in part]) for part in (task.train, task.test))
    return TaskWindows(task, train, test, labels, y_true)


def frozen_answers(sounds: TaskWindows, encoder: Encoder, settings: ProbeSettings, *, seed: int) -> list[Answers]:
    """Return a linear probe's answers for each share of the labels.

    A pooled task's classifier reads mean and standard deviation over a sound's windows; that of any other reads one
    window, and a sound's answer is the mean over its windows.
    """
    task, train, test = sounds.task, sounds.train, sounds.test
    vectors, queries = embed(encoder, train.images), embed(encoder, test.images)
    owners, of_query = train.owners, test.owners
    if task.pooled:
        vectors, queries = pooled_by_owner(vectors, owners), pooled_by_owner(queries, of_query)
        owners, of_query = np.arange(len(vectors)), np.arange(len(queries))
    names, units = [one.label for one in task.train], np.array([one.unit for one in task.train])
    found = []
    for share in settings.label_shares:
        draws = []
        # With all labels every draw is the same: the linear probe has one answer then.
        for draw in range(settings.n_seeds if share < 1 else 1):
            part = labelled_part(names, share, np.random.default_rng([draw, seed]))
            rows = np.flatnonzero(np.isin(owners, part))
            answers, penalty = linear_probe(
                vectors[rows],
                sounds.labels[owners[rows]],
                queries,
                n_labels=len(task.labels),
                units=units[owners[rows]],
            )
            draws.append((_correct(answers, of_query, sounds), penalty))
        found.append(Answers(share, np.stack([right for right, _ in draws]), tuple(one for _, one in draws)))
    return found


def tuned_answers(
    sounds: TaskWindows, config: PretrainingConfig, encoder: keras.Model, settings: ProbeSettings
) -> list[Answers]:
    """Return the answers of copies of an encoder that went on learning on the task, window by window."""
    names = [one.label for one in sounds.task.train]
    found = []
    for share in settings.label_shares:
        draws = []
        for draw in range(settings.n_seeds):
            rows = sounds.train.of(labelled_part(names, share, np.random.default_rng([draw, config.seed])))
            answers = fine_tune(
                config,
                encoder.get_weights(),
                sounds.train.images[rows],
                sounds.labels[sounds.train.owners[rows]],
                sounds.test.images,
                n_labels=len(sounds.task.labels),
                n_steps=settings.fine_tune_steps,
                seed=draw,
            )
            draws.append(_correct(answers, sounds.test.owners, sounds))
        found.append(Answers(share, np.stack(draws)))
    return found


def _correct(answers: NDArray[np.float64], owners: NDArray[np.int64], sounds: TaskWindows) -> NDArray[np.bool_]:
    correct: NDArray[np.bool_] = mean_by_owner(answers, owners).argmax(axis=1) == sounds.y_true
    return correct
