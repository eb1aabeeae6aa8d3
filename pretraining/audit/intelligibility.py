"""Intelligibility of rebuilt sound: the accuracy on rebuilt words of networks trained on real ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from nowplaying_core.statistics import bootstrap_means, draw_run_errors, middle_95
from pretraining.audit.config import AuditConfig
from pretraining.encoder import build_encoder
from pretraining.probe.finetune import fine_tune
from pretraining.probe.linear import linear_probe
from pretraining.tasks.task import Task

__all__ = ["classify_vectors", "intelligibility"]


def intelligibility(
    task: Task,
    config: AuditConfig,
    front_end: FrontEndConfig,
    images: NDArray[np.float32],
    queries: Mapping[str, NDArray[np.float32]],
) -> dict[str, dict[str, float]]:
    """Train small networks on a task's real images and return their accuracy on other images.

    Parameters
    ----------
    task : Task
    config : AuditConfig
    front_end : FrontEndConfig
    images : ndarray of float32, shape (n_train, n_mels, n_frames, 1)
        Real images of the task's training part.
    queries : mapping of str to ndarray
        Images of the test part by what they are made from, each (n_test, n_mels, n_frames, 1).

    Returns
    -------
    dict of str to dict
        ``value``, ``low`` and ``high``: accuracy and its interval over seeds and units.
    """
    labels, wanted = _numbers(task)
    right: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in queries}
    sounds = config.sounds(front_end)
    for seed in range(config.classifier_seeds):
        answers = fine_tune(
            sounds,
            build_encoder(sounds).get_weights(),
            images,
            labels,
            np.concatenate(list(queries.values())),
            n_labels=len(task.labels),
            n_steps=config.classifier_steps,
            seed=seed,
        )
        for name, part in zip(queries, np.split(answers.argmax(axis=1), len(queries)), strict=True):
            right[name].append(part == wanted)
    return {name: _rate(np.stack(rows), task) for name, rows in right.items()}


def classify_vectors(task: Task, stored: NDArray[np.float32], queries: NDArray[np.float32]) -> dict[str, float]:
    """Return the accuracy of a linear classifier on the stored vectors themselves, without rebuilding anything."""
    labels, wanted = _numbers(task)
    units = [one.unit for one in task.train]
    answers, _ = linear_probe(stored, labels, queries, n_labels=len(task.labels), units=units)
    return _rate((answers.argmax(axis=1) == wanted)[None], task)


def _numbers(task: Task) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    number = {label: index for index, label in enumerate(task.labels)}
    labels, wanted = (np.array([number[one.label] for one in part]) for part in (task.train, task.test))
    return labels, wanted


def _rate(right: NDArray[Any], task: Task) -> dict[str, float]:
    of_units = bootstrap_means(right.mean(axis=0), [one.unit for one in task.test], np.random.default_rng(0))
    drawn = of_units + draw_run_errors(right.mean(axis=1), np.random.default_rng(1))
    low, high = middle_95(np.clip(drawn, 0.0, 1.0))
    return {"value": float(right.mean()), "low": low, "high": high}
